-- Takes a coupon back from its user, once, and where it returns to the stock, takes it off the count of issued ones, once. A coupon that
-- was used does not return.
-- $1 coupon id, $2 user id, $3 reason, $4 whether it returns to the stock -> one row updated, or none: there was nothing to do
WITH revoked AS (
  UPDATE issued_coupons
  SET revoked_at = coalesce(revoked_at, now()), revoke_reason = coalesce(revoke_reason, $3::text),
    returned_at = CASE WHEN $4::boolean THEN now() ELSE returned_at END
  WHERE coupon_id = $1 AND user_id = $2
    AND CASE WHEN $4::boolean THEN returned_at IS NULL AND used_at IS NULL ELSE revoked_at IS NULL END
  RETURNING 1
)
UPDATE coupons
SET issued_quantity = issued_quantity - $4::boolean::integer, returned_quantity = returned_quantity + $4::boolean::integer,
  updated_at = now()
WHERE id = $1 AND EXISTS (SELECT FROM revoked)
