#!lua flags=no-writes,allow-oom
-- read-refusal: what `admit` says now to a user without an admission, and the figures that change when there are more users.
--
-- KEYS[1] coupon     hash
-- KEYS[2] queue      sorted set
-- KEYS[3] admitted   hash
-- ARGV[1]            run id of this server, as the caller's connection learned it
--
-- Reply: outcome ('' for none and for unavailable), milliseconds until it opens ('' where that is no matter), epoch, last_us, number
-- of admitted users, number of waiting users, the time that belongs to the outcome in milliseconds ('' where there is none).

local COUPON, QUEUE, ADMITTED = unpack(KEYS, 1, 3)

-- include refusal
-- include lost-admissions

local coupon = read_refusal(COUPON, ARGV[1])
local outcome = coupon.refusal or (coupon.stock <= 0 and 'sold_out') or ''
local admitted = redis.call('HLEN', ADMITTED)
-- `admit` is the one to say that the record of who was accepted is lost.
if outcome == 'unavailable' or admissions_lost(coupon.acked, admitted, 0) then outcome = '' end
local opens_in = coupon.opens_ms and coupon.opens_ms - math.floor(coupon.now_us / 1000) or 0
return {
  outcome, opens_in > 0 and string.format('%.0f', opens_in) or '', coupon.epoch, coupon.last_us,
  admitted, redis.call('ZCARD', QUEUE),
  coupon.at_ms and string.format('%.0f', coupon.at_ms) or '',
}
