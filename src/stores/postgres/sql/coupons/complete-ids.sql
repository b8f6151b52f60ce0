-- Coupons whose id begins like this, for a shell that completes it. $1 the beginning, $2 at most so many
SELECT id, name FROM coupons WHERE starts_with(id, $1) ORDER BY id LIMIT $2
