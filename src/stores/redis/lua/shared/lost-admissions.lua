-- lost-admissions: whether Redis has lost the record of everyone ever accepted: it was evicted, has expired or was deleted. Users
-- who were issued, who are claimed or dead stand in it as well, so where there is a sign of any, it cannot be empty. A stock that is spent
-- is no such sign: another service spends it before it queues a user.
--
-- admissions_lost(acked, admitted, elsewhere) -> boolean; acked is the field of the coupon (above 0: somebody was issued), admitted the
-- length of the record, elsewhere how many users are claimed or dead.
local function admissions_lost(acked, admitted, elsewhere)
  return admitted == 0 and (elsewhere > 0 or (tonumber(acked or '') or 0) > 0)
end
