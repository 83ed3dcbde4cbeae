// The tagged list of typed attributes that requests, responses, events and sensor readings carry.
//
// A container is one heap block, and its bytes are what travels: flags (2 bytes), size of all that follows, tag, number of
// attributes, attributes, spare room. The codes of the types were changed in 2023. Define WAMR_DIALECT_A (for the whole
// app, -DWAMR_DIALECT_A) to write containers as they were until 2022; both are understood when reading.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum {
#ifdef WAMR_DIALECT_A
    ATTR_TYPE_SHORT = 1,
    ATTR_TYPE_INT = 2,
    ATTR_TYPE_INT64 = 3,
    ATTR_TYPE_BYTE = 4,
    ATTR_TYPE_UINT16 = 5,
    ATTR_TYPE_FLOAT = 6,
    ATTR_TYPE_DOUBLE = 7,
    ATTR_TYPE_BOOLEAN = 8,
    ATTR_TYPE_STRING = 9,
    ATTR_TYPE_BYTEARRAY = 10,
#else
    ATTR_TYPE_BYTE = 0,
    ATTR_TYPE_INT8 = ATTR_TYPE_BYTE,
    ATTR_TYPE_SHORT = 1,
    ATTR_TYPE_INT16 = ATTR_TYPE_SHORT,
    ATTR_TYPE_INT = 2,
    ATTR_TYPE_INT32 = ATTR_TYPE_INT,
    ATTR_TYPE_INT64 = 3,
    ATTR_TYPE_UINT8 = 4,
    ATTR_TYPE_UINT16 = 5,
    ATTR_TYPE_UINT32 = 6,
    ATTR_TYPE_UINT64 = 7,
    ATTR_TYPE_FLOAT = 10,
    ATTR_TYPE_DOUBLE = 11,
    ATTR_TYPE_BOOLEAN = 12,
    ATTR_TYPE_STRING = 13,
    ATTR_TYPE_BYTEARRAY = 14,
#endif
};

typedef struct attr_container {
    char flags[2];
    char buf[];
} attr_container_t;

// A new container, or NULL: out of memory. A NULL tag is an empty one.
attr_container_t *attr_container_create(const char *tag);
void attr_container_destroy(const attr_container_t *container);

// Each sets an attribute, replacing one of the same key. *container changes when it has to grow. False, and nothing has changed:
// a NULL or an empty key was given, or there is no memory.
bool attr_container_set_byte(attr_container_t **container, const char *key, int8_t value);
bool attr_container_set_int8(attr_container_t **container, const char *key, int8_t value);
bool attr_container_set_short(attr_container_t **container, const char *key, short value);
bool attr_container_set_int16(attr_container_t **container, const char *key, int16_t value);
bool attr_container_set_int(attr_container_t **container, const char *key, int value);
bool attr_container_set_int32(attr_container_t **container, const char *key, int32_t value);
bool attr_container_set_int64(attr_container_t **container, const char *key, int64_t value);
bool attr_container_set_uint16(attr_container_t **container, const char *key, uint16_t value);
bool attr_container_set_float(attr_container_t **container, const char *key, float value);
bool attr_container_set_double(attr_container_t **container, const char *key, double value);
bool attr_container_set_bool(attr_container_t **container, const char *key, bool value);
bool attr_container_set_string(attr_container_t **container, const char *key, const char *value);
bool attr_container_set_bytearray(attr_container_t **container, const char *key, const int8_t *value,
                                  unsigned length);
#ifndef WAMR_DIALECT_A // which has no such types
bool attr_container_set_uint8(attr_container_t **container, const char *key, uint8_t value);
bool attr_container_set_uint32(attr_container_t **container, const char *key, uint32_t value);
bool attr_container_set_uint64(attr_container_t **container, const char *key, uint64_t value);
#endif

// Each copies the bytes of an attribute, whatever its type: nothing is converted. What is narrower is filled up with zeros;
// what is wider, or not there, is 0. Numbers in requests from a host come from JSON: they are doubles.
int8_t attr_container_get_as_byte(const attr_container_t *container, const char *key);
int8_t attr_container_get_as_int8(const attr_container_t *container, const char *key);
uint8_t attr_container_get_as_uint8(const attr_container_t *container, const char *key);
short attr_container_get_as_short(const attr_container_t *container, const char *key);
int16_t attr_container_get_as_int16(const attr_container_t *container, const char *key);
uint16_t attr_container_get_as_uint16(const attr_container_t *container, const char *key);
int attr_container_get_as_int(const attr_container_t *container, const char *key);
int32_t attr_container_get_as_int32(const attr_container_t *container, const char *key);
uint32_t attr_container_get_as_uint32(const attr_container_t *container, const char *key);
int64_t attr_container_get_as_int64(const attr_container_t *container, const char *key);
uint64_t attr_container_get_as_uint64(const attr_container_t *container, const char *key);
float attr_container_get_as_float(const attr_container_t *container, const char *key);
double attr_container_get_as_double(const attr_container_t *container, const char *key);
bool attr_container_get_as_bool(const attr_container_t *container, const char *key);
// These point into the container. NULL: not there.
char *attr_container_get_as_string(const attr_container_t *container, const char *key);
const int8_t *attr_container_get_as_bytearray(const attr_container_t *container, const char *key, unsigned *length);

const char *attr_container_get_tag(const attr_container_t *container);
uint16_t attr_container_get_attr_num(const attr_container_t *container);
bool attr_container_contain_key(const attr_container_t *container, const char *key);

// How many bytes the container has, spare room included: what goes with it as payload_len.
unsigned attr_container_get_serialize_length(const attr_container_t *container);
// A copy marked as read-only.
bool attr_container_serialize(char *buf, const attr_container_t *container);
bool attr_container_is_constant(const attr_container_t *container);
// Prints all attributes.
void attr_container_dump(const attr_container_t *container);

#ifdef __cplusplus
}
#endif
