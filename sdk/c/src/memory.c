// Small helpers that sources for WAMR may use.
#include "bi-inc/shared_utils.h"

char *wa_strdup(const char *text)
{
    return text ? strdup(text) : NULL;
}

int b_memcpy_s(void *to, unsigned room, const void *from, unsigned n)
{
    if (!n)
        return 0;
    if (!to)
        return -1;
    if (!from || n > room) {
        memset(to, 0, room);
        return -1;
    }
    memcpy(to, from, n);
    return 0;
}

uint16 htons(uint16 value)
{
    return __builtin_bswap16(value);
}

uint16 ntohs(uint16 value)
{
    return htons(value);
}

uint32 htonl(uint32 value)
{
    return __builtin_bswap32(value);
}

uint32 ntohl(uint32 value)
{
    return htonl(value);
}
