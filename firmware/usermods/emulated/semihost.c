// The module `semihost`: the host's files, the flash disk of the emulated board and the emulator's
// own time.

#include <string.h>

#include "py/runtime.h"
#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/stream.h"
#include "extmod/vfs.h"
#include "clock.h"
#include "semihost.h"

#if defined(__riscv)
// The three instructions around ebreak are what the emulator recognises; they must be whole words
// in one page.
__attribute__((naked, noinline, aligned(16))) intptr_t semihost_call(uint32_t operation, const void *arguments) {
    __asm volatile (
        ".option push       \n"
        ".option norvc      \n"
        "slli zero, zero, 31\n"
        "ebreak             \n"
        "srai zero, zero, 7 \n"
        "ret                \n"
        ".option pop        \n"
        );
}
#else
intptr_t semihost_call(uint32_t operation, const void *arguments) {
    register intptr_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile ("bkpt 0xAB" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}
#endif

intptr_t semihost_open(const char *path, uint32_t mode) {
    uintptr_t arguments[] = {(uintptr_t)path, mode, strlen(path)};
    return semihost_call(SYS_OPEN, arguments);
}

// Both return the number of bytes that were not transferred.
static size_t transfer(uint32_t operation, intptr_t fd, const void *buf, size_t size) {
    uintptr_t arguments[] = {fd, (uintptr_t)buf, size};
    return semihost_call(operation, arguments);
}

static bool seek(intptr_t fd, size_t position) {
    uintptr_t arguments[] = {fd, position};
    return semihost_call(SYS_SEEK, arguments) == 0;
}

// -------------------------------------------------------------------------------------------------
// Files of the host, to read

typedef struct {
    mp_obj_base_t base;
    intptr_t fd; // -1: closed
    size_t position;
} file_obj_t;

static mp_uint_t file_read(mp_obj_t self_in, void *buf, mp_uint_t size, int *errcode) {
    file_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->fd < 0) {
        *errcode = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    size_t left = transfer(SYS_READ, self->fd, buf, size);
    if (left > size) {
        *errcode = MP_EIO;
        return MP_STREAM_ERROR;
    }
    self->position += size - left;
    return size - left;
}

static mp_uint_t file_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    file_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_CLOSE) {
        if (self->fd >= 0) {
            semihost_call(SYS_CLOSE, &self->fd);
            self->fd = -1;
        }
        return 0;
    }
    if (request == MP_STREAM_SEEK && self->fd >= 0) {
        struct mp_stream_seek_t *s = (struct mp_stream_seek_t *)arg;
        if (s->whence == MP_SEEK_CUR) {
            s->offset += self->position;
        } else if (s->whence == MP_SEEK_END) {
            s->offset += semihost_call(SYS_FLEN, &self->fd);
        }
        if (s->offset >= 0 && seek(self->fd, s->offset)) {
            self->position = s->offset;
            return 0;
        }
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}

static const mp_rom_map_elem_t file_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_seek), MP_ROM_PTR(&mp_stream_seek_obj) },
    { MP_ROM_QSTR(MP_QSTR_tell), MP_ROM_PTR(&mp_stream_tell_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj) },
};
static MP_DEFINE_CONST_DICT(file_locals, file_locals_table);

static const mp_stream_p_t file_stream = {
    .read = file_read,
    .ioctl = file_ioctl,
};

static MP_DEFINE_CONST_OBJ_TYPE(
    file_type, MP_QSTR_File, MP_TYPE_FLAG_NONE,
    protocol, &file_stream,
    locals_dict, &file_locals
    );

// semihost.open(path): the host's file, for binary reading.
static mp_obj_t host_open(mp_obj_t path_in) {
    intptr_t fd = semihost_open(mp_obj_str_get_str(path_in), OPEN_READ);
    if (fd < 0) {
        mp_raise_OSError_with_filename(MP_ENOENT, mp_obj_str_get_str(path_in));
    }
    file_obj_t *self = mp_obj_malloc_with_finaliser(file_obj_t, &file_type);
    self->fd = fd;
    self->position = 0;
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_1(host_open_obj, host_open);

// -------------------------------------------------------------------------------------------------
// The flash disk: a block device whose content is an image file on the host, so that it outlives
// the emulator

enum { BLOCK_SIZE = 4096, BLOCK_COUNT = 512 };

static intptr_t image = -1;

// Its path is what follows `flash=` in the emulator's semihosting argument, else flash.img where
// the emulator was started.
static void open_image(void) {
    char line[256];
    struct {
        char *buf;
        size_t size;
    } arguments = {line, sizeof(line)};
    const char *path = "flash.img";
    if (semihost_call(SYS_GET_CMDLINE, &arguments) == 0 && strncmp(line, "flash=", 6) == 0) {
        path = line + 6;
    }
    image = semihost_open(path, OPEN_UPDATE);
    if (image < 0) {
        image = semihost_open(path, OPEN_CREATE);
    }
    if (image < 0) {
        mp_raise_OSError_with_filename(MP_EACCES, path);
    }
}

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    if (image < 0) {
        open_image();
    }
    mp_obj_base_t *self = mp_obj_malloc(mp_obj_base_t, type);
    return MP_OBJ_FROM_PTR(self);
}

// The position of block args[1] plus, where it is given, offset args[3].
static size_t flash_position(size_t n_args, const mp_obj_t *args) {
    return mp_obj_get_int(args[1]) * BLOCK_SIZE + (n_args == 4 ? mp_obj_get_int(args[3]) : 0);
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    size_t left = buf.len;
    if (seek(image, flash_position(n_args, args))) {
        left = transfer(SYS_READ, image, buf.buf, buf.len);
    }
    // What was never written is erased flash.
    memset((char *)buf.buf + buf.len - left, 0xFF, left);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    bool written = seek(image, flash_position(n_args, args)) && transfer(SYS_WRITE, image, buf.buf, buf.len) == 0;
    return MP_OBJ_NEW_SMALL_INT(written ? 0 : -MP_EIO);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

static mp_obj_t flash_ioctl(mp_obj_t self, mp_obj_t request, mp_obj_t arg) {
    switch (mp_obj_get_int(request)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_COUNT);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            return MP_OBJ_NEW_SMALL_INT(0);
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

static const mp_rom_map_elem_t flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(flash_locals, flash_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    flash_type, MP_QSTR_Flash, MP_TYPE_FLAG_NONE,
    make_new, flash_make_new,
    locals_dict, &flash_locals
    );

// -------------------------------------------------------------------------------------------------

// semihost.virtual_ns(): nanoseconds of the emulator's virtual time. Under `-icount shift=0` every
// instruction takes one.
static mp_obj_t virtual_ns(void) {
    return mp_obj_new_int_from_ull(clock_virtual_ns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(virtual_ns_obj, virtual_ns);

static const mp_rom_map_elem_t semihost_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_semihost) },
    { MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&host_open_obj) },
    { MP_ROM_QSTR(MP_QSTR_Flash), MP_ROM_PTR(&flash_type) },
    { MP_ROM_QSTR(MP_QSTR_virtual_ns), MP_ROM_PTR(&virtual_ns_obj) },
};
static MP_DEFINE_CONST_DICT(semihost_globals, semihost_globals_table);

const mp_obj_module_t semihost_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&semihost_globals,
};
MP_REGISTER_MODULE(MP_QSTR_semihost, semihost_module);
