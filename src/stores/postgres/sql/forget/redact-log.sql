-- Puts a tombstone in the place of a user in the texts of the log. Only whole words count: "kim" is not found in "kimchi".
-- $1 user id, $2 tombstone, $3 coupon id, or NULL for the entries of all coupons
WITH pattern AS (
  SELECT '(?<![A-Za-z0-9_])' || regexp_replace($1::text, '([^A-Za-z0-9])', '\\\1', 'g') || '(?![A-Za-z0-9_])' AS text
)
UPDATE operator_log
SET reason = regexp_replace(reason, pattern.text, $2::text, 'g'),
  details = CASE WHEN details ->> 'user' = $1::text THEN jsonb_set(details, '{user}', to_jsonb($2::text)) ELSE details END
FROM pattern
WHERE ($3::text IS NULL OR coupon_id = $3) AND (reason ~ pattern.text OR details ->> 'user' = $1::text)
  -- What is under way needs the id until it is finished.
  AND NOT (kind = 'forget' AND finished_at IS NULL)
