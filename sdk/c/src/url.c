// Matching of URLs, and their parameters.
#include "bi-inc/shared_utils.h"

int check_url_start(const char *url, int url_len, const char *leading)
{
    int skipped = 0;
    if (*leading == '/')
        leading++;
    if (url_len > 0 && *url == '/') {
        url++;
        url_len--;
        skipped = 1;
    }
    int n = strlen(leading);
    if (n && leading[n - 1] == '/')
        n--;
    if (!n || url_len < n || memcmp(url, leading, n))
        return 0;
    if (url_len == n)
        return skipped + n;
    return url[n] == '/' || url[n] == '?' ? skipped + n + 1 : 0;
}

bool match_url(char *pattern, char *url)
{
    if (*pattern == '/')
        pattern++;
    if (*url == '/')
        url++;
    int n = strlen(pattern), url_len = strlen(url);
    if (url_len && url[url_len - 1] == '/')
        url_len--;
    char last = n ? pattern[n - 1] : 0;
    if (last != '/' && last != '*')
        return url_len == n && !memcmp(url, pattern, n);
    n--;
    if (last == '*') {
        if (n && pattern[n - 1] == '/')
            return url_len > n && !memcmp(url, pattern, n);
        return url_len >= n && !memcmp(url, pattern, n);
    }
    return url_len >= n && !memcmp(url, pattern, n) && (url_len == n || url[n] == '/');
}

char *find_key_value(char *buffer, int buffer_len, char *key, char *value, int value_len, char delimiter)
{
    int key_len = strlen(key);
    char *end = buffer + buffer_len;
    while (buffer < end) {
        while (buffer < end && (*buffer == ' ' || *buffer == delimiter))
            buffer++;
        char *item = buffer;
        while (buffer < end && *buffer && *buffer != delimiter)
            buffer++;
        if (buffer - item > key_len && item[key_len] == '=' && !memcmp(item, key, key_len)) {
            item += key_len + 1;
            int n = buffer - item;
            if (n >= value_len)
                return NULL;
            memcpy(value, item, n);
            value[n] = 0;
            return value;
        }
        if (buffer < end && !*buffer)
            break;
    }
    return NULL;
}
