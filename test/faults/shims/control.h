/*
 * The page that the suite shares with a server: what the suite asks for, and what the server has on disk. `servers/shims.ts` reads and
 * writes the same layout; both sides are little-endian. Every source file that includes this maps the page for itself.
 *
 * A server that has one of these libraries ends with the suite, also when that is killed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SLOTS 1024

struct control {
  _Atomic int64_t loaded; /* how often a library found the page: 0 means that the server runs without */
  _Atomic int64_t fsync_delay_us;
  _Atomic int64_t clock_offset_us;
  _Atomic int64_t unrecorded; /* files that found no slot */
  struct {
    _Atomic int64_t inode; /* 0: free */
    _Atomic int64_t bytes; /* so much of the file is safe from a loss of power */
  } synced[SLOTS];
};

static struct control *control;

__attribute__((constructor)) static void map_control(void) {
  const char *path = getenv("COUPON_FAULTS_CONTROL");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (page == MAP_FAILED) return;
  control = page;
  atomic_fetch_add(&control->loaded, 1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}
