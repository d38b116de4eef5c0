// libcurl, with functions of fixed types around the two that take any: Swift cannot call those.
#ifndef ROUNDROBIN_CURL_H
#define ROUNDROBIN_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static inline CURLcode curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *text) {
    return curl_easy_setopt(handle, option, text);
}
static inline CURLcode curl_set_list(CURL *handle, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(handle, option, list);
}
static inline CURLcode curl_set_reader(CURL *handle, curl_read_callback read, void *context) {
    curl_easy_setopt(handle, CURLOPT_READDATA, context);
    return curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
}
static inline CURLcode curl_set_observer(CURL *handle, curl_debug_callback observe, void *context) {
    curl_easy_setopt(handle, CURLOPT_DEBUGDATA, context);
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, observe);
}
static inline CURLcode curl_set_progress(CURL *handle, curl_xferinfo_callback progress, void *context) {
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
}

#endif
