// What MicroPython's `os` module wants from a port; included by extmod/modos.c.

#include "py/mperrno.h"
#include "semihost.h"

// os.urandom(n): these machines emulate no random number generator, so the bytes are the host's.
static mp_obj_t mp_os_urandom(mp_obj_t n_in) {
    vstr_t vstr;
    vstr_init_len(&vstr, mp_obj_get_int(n_in));
    intptr_t fd = semihost_open("/dev/urandom", OPEN_READ);
    uintptr_t arguments[] = {fd, (uintptr_t)vstr.buf, vstr.len};
    if (fd < 0 || semihost_call(SYS_READ, arguments) != 0) {
        mp_raise_OSError(MP_ENODEV);
    }
    semihost_call(SYS_CLOSE, &fd);
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
