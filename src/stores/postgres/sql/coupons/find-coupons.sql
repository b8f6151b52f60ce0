-- All coupons.
SELECT id, name, total_quantity, issued_quantity, max_fence, min_fence, epoch, version, state, key_style, opens_at, closes_at, expires_at, valid_for_ms,
  may_be_missing, returned_quantity, shared_stock_field, sale_state
FROM coupons
ORDER BY id
