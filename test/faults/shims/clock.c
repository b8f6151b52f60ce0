/*
 * A clock that is wrong by as much as the suite says. Only the time of day: intervals are measured with the monotonic clock, which no
 * administrator and no NTP can set. (libfaketime does far more, and hangs redis-server.)
 */
#define _GNU_SOURCE
#include "control.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int64_t wrong_by_us(void) { return control ? atomic_load(&control->clock_offset_us) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  int64_t us = now->tv_sec * 1000000LL + now->tv_nsec / 1000 + wrong_by_us();
  now->tv_nsec = us % 1000000 * 1000 + now->tv_nsec % 1000;
  now->tv_sec = us / 1000000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now) *now = precise.tv_sec;
  return precise.tv_sec;
}
