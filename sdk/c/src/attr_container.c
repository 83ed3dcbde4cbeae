// Implements attr_container.h. All numbers in a container are little endian, as in the app's memory, and at any address.
#include "bi-inc/attr_container.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARE 100 // bytes for attributes to come, in a new container and in one that has to grow
#define CONSTANT 4

typedef struct __attribute__((packed)) { uint16_t value; } unaligned16_t;
typedef struct __attribute__((packed)) { uint32_t value; } unaligned32_t;
#define U16(place) (((unaligned16_t *)(place))->value)
#define U32(place) (((unaligned32_t *)(place))->value)

// An attribute: where it stands, its type and its value's bytes, without the length that precedes strings and byte arrays.
typedef struct {
    char *start, *value, *end;
    unsigned size;
    uint8_t type;
} attribute_t;

static char *tag_of(const attr_container_t *container)
{
    return (char *)container->buf + 6;
}

// Where the number of attributes stands.
static char *count_of(const attr_container_t *container)
{
    return tag_of(container) + U16(container->buf + 4);
}

static char *end_of(const attr_container_t *container)
{
    return (char *)container->buf + U32(container->buf);
}

static bool is_string(uint8_t type)
{
    return type == 9 || type == 13;
}

static bool is_bytes(uint8_t type)
{
#ifdef WAMR_DIALECT_A
    return type == 10 || type == 14;
#else
    return type == 14;
#endif
}

// The attribute that begins at `start`; false: no whole one does.
static bool read_attribute(char *start, const char *limit, attribute_t *found)
{
    found->start = start;
    char *at = start + 2;
    if (at > limit)
        return false;
    at += U16(start);
    if (at >= limit)
        return false;
    uint8_t type = found->type = *at++;
    if (type > 14)
        return false;
    if (is_string(type)) {
        found->size = U16(at);
        at += 2;
    } else if (is_bytes(type)) {
        found->size = U32(at);
        at += 4;
    } else
        found->size = 1 << (type & 3);
    found->value = at;
    if (at > limit || found->size > (unsigned)(limit - at))
        return false;
    found->end = at + found->size;
    return true;
}

// Finds an attribute. Returns the end of all attributes, or that of the one that was found; found->start is NULL if it was not.
static char *find(const attr_container_t *container, const char *key, attribute_t *found)
{
    char *at = count_of(container) + 2;
    const char *limit = end_of(container);
    for (unsigned count = U16(at - 2); count && read_attribute(at, limit, found); count--) {
        at = found->end;
        if (key && !strcmp(found->start + 2, key))
            return at;
    }
    found->start = NULL;
    return at;
}

attr_container_t *attr_container_create(const char *tag)
{
    if (!tag)
        tag = "";
    unsigned tag_size = strlen(tag) + 1;
    unsigned size = 4 + 2 + tag_size + SPARE;
    attr_container_t *container = calloc(1, 2 + size);
    if (!container)
        return NULL;
    U32(container->buf) = size;
    U16(container->buf + 4) = tag_size;
    memcpy(tag_of(container), tag, tag_size);
    return container;
}

void attr_container_destroy(const attr_container_t *container)
{
    free((void *)container);
}

// Sets an attribute. The rules by which a container grows and where its attributes go decide the bytes that hosts see.
static bool set(attr_container_t **place, const char *key, uint8_t type, const void *value, unsigned size)
{
    if (!place || !*place || !key || !*key || !value)
        return false;
    attr_container_t *container = *place, *old_block = NULL;
    unsigned key_size = strlen(key) + 1;
    unsigned head = is_string(type) ? 2 : is_bytes(type) ? 4 : 0;
    unsigned length = 2 + key_size + 1 + head + size;

    attribute_t old;
    char *end = find(container, key, &old);
    char *at = end;
    unsigned old_length = old.start ? (unsigned)(old.end - old.start) : 0;
    if (old_length == length)
        at = old.start;
    else {
        attribute_t none;
        if (old_length)
            end = find(container, NULL, &none);
        if (end_of(container) - end + old_length < length) {
            unsigned old_size = attr_container_get_serialize_length(container);
            attr_container_t *larger = calloc(1, old_size + length + SPARE);
            if (!larger)
                return false;
            memcpy(larger, container, old_size);
            U32(larger->buf) += length + SPARE;
            at = (char *)larger + (end - (char *)container);
            if (old_length)
                old.start = (char *)larger + (old.start - (char *)container);
            old_block = container;
            *place = container = larger;
        } else
            at = end;
        if (old_length) {
            memmove(old.start, old.start + old_length, at - old.start - old_length);
            at -= old_length;
        } else
            U16(count_of(container))++;
    }

    U16(at) = key_size;
    memcpy(at + 2, key, key_size);
    at += 2 + key_size;
    *at++ = type;
    if (head == 2)
        U16(at) = size;
    else if (head)
        U32(at) = size;
    memcpy(at + head, value, size);
    free(old_block); // not before: the value may be in it
    return true;
}

#define SETTER(name, c_type, type)                                                                    \
    bool attr_container_set_##name(attr_container_t **container, const char *key, c_type value)      \
    {                                                                                                 \
        return set(container, key, type, &value, sizeof value);                                       \
    }

SETTER(byte, int8_t, ATTR_TYPE_BYTE)
SETTER(int8, int8_t, ATTR_TYPE_BYTE)
SETTER(short, short, ATTR_TYPE_SHORT)
SETTER(int16, int16_t, ATTR_TYPE_SHORT)
SETTER(int, int, ATTR_TYPE_INT)
SETTER(int32, int32_t, ATTR_TYPE_INT)
SETTER(int64, int64_t, ATTR_TYPE_INT64)
SETTER(uint16, uint16_t, ATTR_TYPE_UINT16)
SETTER(float, float, ATTR_TYPE_FLOAT)
SETTER(double, double, ATTR_TYPE_DOUBLE)
SETTER(bool, bool, ATTR_TYPE_BOOLEAN)
#ifndef WAMR_DIALECT_A
SETTER(uint8, uint8_t, ATTR_TYPE_UINT8)
SETTER(uint32, uint32_t, ATTR_TYPE_UINT32)
SETTER(uint64, uint64_t, ATTR_TYPE_UINT64)
#endif

bool attr_container_set_string(attr_container_t **container, const char *key, const char *value)
{
    return value && set(container, key, ATTR_TYPE_STRING, value, strlen(value) + 1);
}

bool attr_container_set_bytearray(attr_container_t **container, const char *key, const int8_t *value, unsigned length)
{
    return set(container, key, ATTR_TYPE_BYTEARRAY, value, length);
}

// The value of at most `size` bytes that an attribute has, in a result that is zero before.
static void get(const attr_container_t *container, const char *key, void *result, unsigned size)
{
    attribute_t found;
    if (!container || !key)
        return;
    find(container, key, &found);
    if (!found.start || (found.size > size && !is_string(found.type) && !is_bytes(found.type)))
        return;
    memcpy(result, found.value, found.size < size ? found.size : size);
}

#define GETTER(name, c_type)                                                                   \
    c_type attr_container_get_as_##name(const attr_container_t *container, const char *key)   \
    {                                                                                          \
        c_type result = 0;                                                                     \
        get(container, key, &result, sizeof result);                                           \
        return result;                                                                         \
    }

GETTER(byte, int8_t)
GETTER(int8, int8_t)
GETTER(uint8, uint8_t)
GETTER(short, short)
GETTER(int16, int16_t)
GETTER(uint16, uint16_t)
GETTER(int, int)
GETTER(int32, int32_t)
GETTER(uint32, uint32_t)
GETTER(int64, int64_t)
GETTER(uint64, uint64_t)
GETTER(float, float)
GETTER(double, double)

bool attr_container_get_as_bool(const attr_container_t *container, const char *key)
{
    return attr_container_get_as_byte(container, key) != 0;
}

const int8_t *attr_container_get_as_bytearray(const attr_container_t *container, const char *key, unsigned *length)
{
    attribute_t found;
    if (!container || !key)
        return NULL;
    find(container, key, &found);
    if (!found.start)
        return NULL;
    if (length)
        *length = found.size;
    return (const int8_t *)found.value;
}

char *attr_container_get_as_string(const attr_container_t *container, const char *key)
{
    return (char *)attr_container_get_as_bytearray(container, key, NULL);
}

const char *attr_container_get_tag(const attr_container_t *container)
{
    return container ? tag_of(container) : NULL;
}

uint16_t attr_container_get_attr_num(const attr_container_t *container)
{
    return container ? U16(count_of(container)) : 0;
}

bool attr_container_contain_key(const attr_container_t *container, const char *key)
{
    return attr_container_get_as_bytearray(container, key, NULL) != NULL;
}

unsigned attr_container_get_serialize_length(const attr_container_t *container)
{
    return container ? 2 + U32(container->buf) : 0;
}

bool attr_container_serialize(char *buf, const attr_container_t *container)
{
    if (!buf || !container)
        return false;
    memcpy(buf, container, attr_container_get_serialize_length(container));
    buf[0] |= CONSTANT;
    return true;
}

bool attr_container_is_constant(const attr_container_t *container)
{
    return container && container->flags[0] & CONSTANT;
}

// The names of the types by their code, also of those that only the other dialect has.
static const char *const names[] = {
#ifdef WAMR_DIALECT_A
    "byte", "short", "int", "int64", "byte", "uint16", "float", "double", "bool", "string", "", "double", "bool", "string",
#else
    "byte", "short", "int", "int64", "uint8", "uint16", "uint32", "int64", "bool", "string", "float", "double", "bool",
    "string",
#endif
};

void attr_container_dump(const attr_container_t *container)
{
    if (!container)
        return;
    printf("Attribute container dump:\nTag: %s\nAttribute list:\n", tag_of(container));
    char *at = count_of(container) + 2;
    attribute_t found;
    for (unsigned count = U16(at - 2); count && read_attribute(at, end_of(container), &found); count--) {
        at = found.end;
        printf("  key: %s", found.start + 2);
        if (is_bytes(found.type)) {
            printf(", type: byte array, length: %u\n", found.size);
            continue;
        }
        const char *name = names[found.type];
        printf(", type: %s, value: ", name);
        union {
            uint64_t bits;
            float single;
            double number;
        } value = { 0 };
        if (is_string(found.type)) {
            puts(found.value);
            continue;
        }
        memcpy(&value, found.value, found.size);
        if (!strcmp(name, "bool"))
            puts(value.bits ? "true" : "false");
        else if (name[0] == 'f' || name[0] == 'd')
            printf("%f\n", found.size == 4 ? value.single : value.number);
        else if (found.size == 8)
            printf("0x%llx\n", (unsigned long long)value.bits);
        else
            printf("0x%x\n", (unsigned)value.bits);
    }
    putchar('\n');
}
