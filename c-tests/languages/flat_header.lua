-- The flat header as LuaJIT reads it: a program is run, its structures are there, a number has its name. Arguments: HEADER LIBRARY.
local ffi = require("ffi")
ffi.cdef(assert(io.open(arg[1])):read("*a"))
local ps = ffi.load(arg[2])
local command, child, failure = ffi.new("ps_command *[1]"), ffi.new("ps_child *[1]"), ffi.new("ps_error *[1]")

local function done(status)
  if status ~= ps.PS_OK then error(ffi.string(ps.ps_error_message(failure[0]))) end
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
print("LuaJIT: sizeof ps_exit " .. ffi.sizeof("ps_exit"))
