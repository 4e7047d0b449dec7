-- The flat header as LuaJIT reads it: a program is run, its structures are there, a number has its name; events, 64-bit words, lists of
-- strings and bytes go through unharmed, and a failure says why. Arguments: HEADER LIBRARY.
local ffi = require("ffi")
ffi.cdef(assert(io.open(arg[1])):read("*a"))
local ps = ffi.load(arg[2])
assert(bit.rshift(ps.ps_version(), 8) == bit.bor(bit.lshift(ps.PS_VERSION_MAJOR, 8), ps.PS_VERSION_MINOR))
local command, child, failure = ffi.new("ps_command *[1]"), ffi.new("ps_child *[1]"), ffi.new("ps_error *[1]")

local function done(status)
  if status < 0 then error(ffi.string(ps.ps_error_message(failure[0]))) end
  return status
end

done(ps.ps_command_new("sh", command, failure))
for _, word in ipairs({"-c", "exit 3"}) do done(ps.ps_command_arg(command[0], word, failure)) end
done(ps.ps_spawn(nil, command[0], child, failure))
local ending = ffi.new("ps_exit", {size = ffi.sizeof("ps_exit")})
done(ps.ps_reap(child[0], 10000, ending, failure))
assert(ending.kind == ps.PS_EXIT_EXITED and ending.code == 3)
assert(ffi.string(ps.ps_status_name(ps.PS_ERR_TIMEOUT)) == "PS_ERR_TIMEOUT")
ps.ps_child_free(child[0])
ps.ps_command_free(command[0])

-- A supervisor and its events.
local word = 0xfedcba9876543210ULL
local supervisor = ffi.new("ps_supervisor *[1]")
done(ps.ps_supervisor_new(supervisor, failure))
done(ps.ps_command_new("cat", command, failure))
done(ps.ps_command_args(command[0], ffi.new("const char *[3]", {"--", "-"}), failure)) -- the last is NULL
done(ps.ps_command_input(command[0], "a\0b", 3, failure))
done(ps.ps_command_capture(command[0], 4096, failure))
done(ps.ps_command_user_data(command[0], word, failure))
done(ps.ps_spawn(supervisor[0], command[0], child, failure))
local event = ffi.new("ps_event", {size = ffi.sizeof("ps_event")})
repeat
  assert(done(ps.ps_supervisor_next_event(supervisor[0], 10000, event, failure)) == ps.PS_OK)
  assert(event.user_data == word and event.child == child[0])
until event.kind == ps.PS_EVENT_EXITED
assert(event.exit.code == 0 and event.exit.started_ns > 0 and event.exit.ended_ns >= event.exit.started_ns)
local needed, room = ffi.new("size_t[1]"), ffi.new("char[16]")
done(ps.ps_child_output(child[0], room, ffi.sizeof(room), needed, failure))
assert(ffi.string(room, needed[0]) == "a\0b")
ps.ps_child_free(child[0])
ps.ps_command_free(command[0])

done(ps.ps_command_new("/no/such/program", command, failure))
assert(ps.ps_spawn(supervisor[0], command[0], child, failure) == ps.PS_ERR_NOT_FOUND)
assert(ps.ps_error_errno(failure[0]) == 2 and ffi.string(ps.ps_error_message(failure[0])):find("/no/such/program", 1, true))
ps.ps_error_free(failure[0])
ps.ps_command_free(command[0])
ps.ps_supervisor_free(supervisor[0])
print("LuaJIT: sizeof ps_exit " .. ffi.sizeof("ps_exit"))
