/** `--time-zone` of commands that tell times and take none. */
export const ZONE_FLAG = '--time-zone <zone>';
export const ZONE_ABOUT = 'in which times are told, such as Asia/Seoul (COUPON_TIME_ZONE); UTC where other programs read';
