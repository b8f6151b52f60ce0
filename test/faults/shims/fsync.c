/*
 * A disk that takes its time, and that remembers how much of each file it was told to keep.
 *
 * The size is taken before the wait: what is written while the disk is at work is not covered by its answer.
 */
#define _GNU_SOURCE
#include "control.h"
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static int64_t monotonic_us(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* In short naps: a delay that is taken back lets go of those who wait. */
static void wait_for_disk(void) {
  int64_t began = monotonic_us();
  for (;;) {
    int64_t left = atomic_load(&control->fsync_delay_us) - (monotonic_us() - began);
    if (left <= 0) return;
    usleep(left < 5000 ? left : 5000);
  }
}

/* The highest size counts: of two calls at once the one that began earlier may end later. */
static void record(int64_t inode, int64_t bytes) {
  for (int i = 0; i < SLOTS; i++) {
    int64_t found = 0;
    if (!atomic_compare_exchange_strong(&control->synced[i].inode, &found, inode) && found != inode) continue;
    int64_t known = atomic_load(&control->synced[i].bytes);
    while (known < bytes && !atomic_compare_exchange_weak(&control->synced[i].bytes, &known, bytes)) {
    }
    return;
  }
  atomic_fetch_add(&control->unrecorded, 1);
}

static int sync_file(int file, long call) {
  struct stat before;
  if (!control || fstat(file, &before) != 0 || !S_ISREG(before.st_mode)) return syscall(call, file);
  wait_for_disk();
  int result = syscall(call, file);
  if (result == 0) record(before.st_ino, before.st_size);
  return result;
}

int fsync(int file) { return sync_file(file, SYS_fsync); }

int fdatasync(int file) { return sync_file(file, SYS_fdatasync); }
