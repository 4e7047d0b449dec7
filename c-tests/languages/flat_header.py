"""The flat header as cffi reads it: a program is run, its structures have the size that C gives them, a number has its name; events, 64-bit
words, lists of strings and bytes go through unharmed, and a failure says why. Arguments: HEADER LIBRARY."""
import sys

try:
    from cffi import FFI
except ImportError:
    print("cffi is not here (Debian: python3-cffi)")
    sys.exit(77)

header, library = sys.argv[1:3]
ffi = FFI()
ffi.cdef(open(header).read())
ps = ffi.dlopen(library)
assert ps.ps_version() >> 8 == ps.PS_VERSION_MAJOR << 8 | ps.PS_VERSION_MINOR
command, child, error = ffi.new("ps_command **"), ffi.new("ps_child **"), ffi.new("ps_error **")


def done(status):
    if status < 0:
        sys.exit(ffi.string(ps.ps_error_message(error[0])).decode())
    return status


done(ps.ps_command_new(b"sh", command, error))
for word in (b"-c", b"exit 3"):
    done(ps.ps_command_arg(command[0], word, error))
done(ps.ps_spawn(ffi.NULL, command[0], child, error))
end = ffi.new("ps_exit *", {"size": ffi.sizeof("ps_exit")})
done(ps.ps_reap(child[0], 10000, end, error))
assert (end.kind, end.code) == (ps.PS_EXIT_EXITED, 3), (end.kind, end.code)
assert ffi.string(ps.ps_status_name(ps.PS_ERR_TIMEOUT)) == b"PS_ERR_TIMEOUT"
ps.ps_child_free(child[0])
ps.ps_command_free(command[0])

# A supervisor and its events.
WORD = 0xFEDCBA9876543210
supervisor = ffi.new("ps_supervisor **")
done(ps.ps_supervisor_new(supervisor, error))
done(ps.ps_command_new(b"cat", command, error))
words = [ffi.new("char[]", word) for word in (b"--", b"-")]  # they live as long as this list
done(ps.ps_command_args(command[0], ffi.new("char *[]", [*words, ffi.NULL]), error))
done(ps.ps_command_input(command[0], b"a\0b", 3, error))
done(ps.ps_command_capture(command[0], 4096, error))
done(ps.ps_command_user_data(command[0], WORD, error))
done(ps.ps_spawn(supervisor[0], command[0], child, error))
event = ffi.new("ps_event *", {"size": ffi.sizeof("ps_event")})
kinds = []
while ps.PS_EVENT_EXITED not in kinds:
    assert done(ps.ps_supervisor_next_event(supervisor[0], 10000, event, error)) == ps.PS_OK
    assert event.user_data == WORD and event.child == child[0], hex(event.user_data)
    kinds.append(event.kind)
assert event.exit.code == 0 and event.exit.ended_ns >= event.exit.started_ns > 0
needed, room = ffi.new("size_t *"), ffi.new("char[]", 16)
done(ps.ps_child_output(child[0], room, len(room), needed, error))
assert ffi.buffer(room, needed[0])[:] == b"a\0b"
ps.ps_child_free(child[0])
ps.ps_command_free(command[0])

done(ps.ps_command_new(b"/no/such/program", command, error))
assert ps.ps_spawn(supervisor[0], command[0], child, error) == ps.PS_ERR_NOT_FOUND
assert ps.ps_error_errno(error[0]) == 2 and b"/no/such/program" in ffi.string(ps.ps_error_message(error[0]))
ps.ps_error_free(error[0])
ps.ps_command_free(command[0])
ps.ps_supervisor_free(supervisor[0])
print(f"cffi: {sum(name.startswith('ps_') for name in dir(ps))} calls, sizeof ps_exit {ffi.sizeof('ps_exit')}")
