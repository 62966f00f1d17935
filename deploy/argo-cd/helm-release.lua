-- Health of a HelmRelease, read from its conditions.
--
-- What still speaks of an older spec is never called healthy or degraded, and a release that serves its last good
-- revision because the new one failed is degraded: Available stays True, but what Git asks for does not run.

local function condition(status, wanted)
  for _, candidate in ipairs(status.conditions or {}) do
    if candidate.type == wanted then
      return candidate
    end
  end
  return nil
end

local status = obj.status or {}
local generation = obj.metadata.generation
local ready = condition(status, "Ready")

if obj.metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = "The release is being removed" }
end
if ready == nil or status.observedGeneration ~= generation then
  return { status = "Progressing", message = "Waiting for Belay to look at the spec" }
end
if ready.observedGeneration ~= nil and ready.observedGeneration ~= generation then
  return { status = "Progressing", message = "Waiting for Belay to look at the spec" }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end

local stalled = condition(status, "Stalled")
if stalled ~= nil and stalled.status == "True" then
  -- Both are a person's decision, and end with one.
  if ready.reason == "Suspended" or ready.reason == "Pinned" then
    return { status = "Suspended", message = ready.message }
  end
  return { status = "Degraded", message = ready.message }
end
local reconciling = condition(status, "Reconciling")
if ready.status == "False" and (reconciling == nil or reconciling.status ~= "True") then
  return { status = "Degraded", message = ready.message }
end
return { status = "Progressing", message = ready.message }
