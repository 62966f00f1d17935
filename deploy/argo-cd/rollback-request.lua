-- Health of a RollbackRequest. It is an order and its record: once carried out it stays healthy, also when a sync
-- creates it again and Belay answers that it was carried out before.

local status = obj.status or {}
local reason = nil
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    reason = condition.reason
  end
end

if status.phase == "Complete" or status.phase == "Superseded" then
  return { status = "Healthy", message = status.message }
end
if status.phase == "Refused" and (reason == "AlreadyExecuted" or reason == "AlreadyThere") then
  return { status = "Healthy", message = status.message }
end
if status.phase == "Failed" or status.phase == "Refused" then
  return { status = "Degraded", message = status.message }
end
-- A person is waited for.
if status.phase == "AwaitingApproval" then
  return { status = "Suspended", message = status.message }
end
return { status = "Progressing", message = status.message or "Waiting for Belay" }
