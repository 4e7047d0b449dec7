-- Checksums of files by sha256sum, four at a time, under luv (libuv). The same program in ten languages: docs/languages.md.
--
--     PROCSUP_LIBRARY=.../libprocsup.so.0.1 PROCSUP_FFI_HEADER=.../procsup.ffi.h luajit checksums.lua FILE... +LATER...
--
-- +LATER is a file that is not there yet: it is tried again until it is, and a child of luv's own (uv.spawn) makes it meanwhile. Ctrl-C stops all
-- children by their stop plans; then the loop ends by itself.
--
-- The trap: Lua has no signal handlers, and a call that waits keeps luv's waiting. So nothing waits but uv.run. What ffi.new made is freed when Lua
-- knows it no more; what the library keeps beyond a call it has copied, so nothing of that needs to be held.
local ffi = require("ffi")
local found, uv = pcall(require, "luv")
if not found then
  print("luv is not here (Debian: lua-luv)")
  os.exit(77)
end

local AT_ONCE = 4
local header = os.getenv("PROCSUP_FFI_HEADER") or arg[0]:match("^(.*/)[^/]*$") .. "../../../include/procsup.ffi.h"
ffi.cdef(assert(io.open(header)):read("*a"))
local ps = ffi.load(os.getenv("PROCSUP_LIBRARY") or "libprocsup.so.0.1")

-- A call that can fail: its failure is an error of Lua's. The last argument of each is the place for the error.
local function call(name, ...)
  local failure = ffi.new("ps_error *[1]")
  local arguments = {...}
  arguments[select("#", ...) + 1] = failure
  local status = ps[name](unpack(arguments, 1, select("#", ...) + 1))
  if status >= 0 then return status end
  local message = ffi.string(ps.ps_error_message(failure[0]))
  ps.ps_error_free(failure[0])
  error(name .. ": " .. message)
end

local function make(kind, name, ...)
  local made = ffi.new(kind .. " *[1]")
  local arguments = {...}
  arguments[#arguments + 1] = made
  call(name, unpack(arguments))
  return made[0]
end

local names, results, children = {}, {}, {}
local running, most, interrupted, ending = 0, 0, false, false
local own, own_code -- true when it has begun; its exit code when it has ended
local supervisor = make("ps_supervisor", "ps_supervisor_new")
local ready, interrupt

local function spawn(number, later)
  local command = make("ps_command", "ps_command_new", "sha256sum")
  if later then
    call("ps_command_restart", command, ps.PS_RESTART_ON_FAILURE, 10, 100)
    call("ps_command_restart_limit", command, 0, 10000) -- 0: it never gives up
  end
  call("ps_command_arg", command, names[number])
  call("ps_command_env", command, "LC_ALL", "C")
  call("ps_command_stdio", command, 0, ps.PS_STDIO_NULL, -1)
  call("ps_command_capture", command, 4096)
  call("ps_command_user_data", command, number)
  local child = make("ps_child", "ps_spawn", supervisor, command) -- or stands in line
  ps.ps_command_free(command)
  return child
end

local function finish()
  if not ending then call("ps_supervisor_shutdown", supervisor, 1000) end -- one last event says that all is over
  ending = true
end

local function finish_if_all_is_over()
  for number = 1, #names do
    if not results[number] then return end
  end
  if not own or own_code then finish() end
end

-- A child that procsup knows nothing of.
local function make_file(name)
  own = true
  local process
  process = assert(uv.spawn("sh", {args = {"-c", 'echo it has come >"$0.new" && mv "$0.new" "$0"; exit 7', name}}, function(code)
    own_code = code
    process:close()
    finish_if_all_is_over()
  end))
end

local function result(number, event)
  local buffer, length = ffi.new("char[4096]"), ffi.new("size_t[1]")
  call("ps_child_output", children[number], buffer, 4096, length)
  local output = ffi.string(buffer, length[0]):gsub("%s+$", "")
  if event.exit.kind ~= ps.PS_EXIT_EXITED then
    return ffi.string(ps.ps_signal_name(event.exit.signal)) .. ", " .. ffi.string(ps.ps_cause_name(event.exit.cause))
  elseif event.exit.code ~= 0 then
    return "exit code " .. event.exit.code .. ": " .. output
  end
  return output:match("^%S+") .. (event.run > 1 and " at a later run" or "")
end

local function on_event(event)
  local number, kind = tonumber(event.user_data), event.kind
  if kind == ps.PS_EVENT_STARTED then
    running = running + 1
    most = math.max(most, running)
  elseif kind == ps.PS_EVENT_EXITED then
    running = running - 1
    results[number] = result(number, event)
  elseif kind == ps.PS_EVENT_RESTARTING then -- comes right behind EXITED: that was not the last run
    results[number] = nil
    if not own then make_file(names[number]) end
  elseif kind == ps.PS_EVENT_FAILED or kind == ps.PS_EVENT_CANCELLED then
    results[number] = ffi.string(ps.ps_event_kind_name(kind))
  elseif kind == ps.PS_EVENT_SHUTDOWN_DONE then -- nothing watches any more: uv.run returns
    ready:close()
    interrupt:close()
  end
end

local fd = ffi.new("int32_t[1]")
call("ps_supervisor_set_max_running", supervisor, AT_ONCE)
call("ps_supervisor_fd", supervisor, fd)
ready = uv.new_poll(fd[0])
ready:start("r", function()
  local event = ffi.new("ps_event", {size = ffi.sizeof("ps_event")})
  while call("ps_supervisor_next_event", supervisor, 0, event) == ps.PS_OK do on_event(event) end
  finish_if_all_is_over()
end)
interrupt = uv.new_signal()
interrupt:start("sigint", function()
  interrupted = true
  finish()
end)

for number, name in ipairs(arg) do
  names[number] = name:gsub("^%+", "")
  children[number] = spawn(number, name:sub(1, 1) == "+")
end
uv.run()

for _, child in ipairs(children) do ps.ps_child_free(child) end
ps.ps_supervisor_free(supervisor)
for number, name in ipairs(names) do print(name .. " " .. results[number]) end
if own_code then print("own child: exit code " .. own_code) end
if interrupted then print("interrupted") end
print(("%d files, %s %d at once, %d children left"):format(#names, most <= AT_ONCE and "never more than" or "MORE THAN", AT_ONCE, ps.ps_live_count()))
os.exit(interrupted and 130 or 0)
