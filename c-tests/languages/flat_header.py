"""The flat header as cffi reads it: a program is run, its structures have the size that C gives them, a number has its name. Arguments: HEADER LIBRARY."""
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
command, child, error = ffi.new("ps_command **"), ffi.new("ps_child **"), ffi.new("ps_error **")


def done(status):
    if status != ps.PS_OK:
        sys.exit(ffi.string(ps.ps_error_message(error[0])).decode())


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
print(f"cffi: {sum(name.startswith('ps_') for name in dir(ps))} calls, sizeof ps_exit {ffi.sizeof('ps_exit')}")
