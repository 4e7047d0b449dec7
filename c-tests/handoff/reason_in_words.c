/* The words of ps_handoff_failed arrive at the other side as they are, none, or 1024 bytes of them where there are more, cut
   between characters; ps_handoff_reason keeps those of the last ABORTED. What a terminal would obey is shown, for the words are a peer's. */
/* covers: F27 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    char words[2001];
    stage_begin();
    party *o = first("old");
    CHECK_STR(ask(o, "reason"), "");
    for (int i = 0; i < 5; i++) {
        party *n = takeover("new");
        bring(o, n, MET, LOADING);
        memset(words, 0, sizeof words);
        for (int at = 0; i == 1 && at < 1900; at += 2)
            memcpy(words + at, "\xc3\xa4", 2); /* two bytes each */
        if (i == 2)
            strcpy(words, "no UTF-8: \xff\xfe");
        if (i == 3)
            strcpy(words, "\x1b[2J\a\xc2\x9b\xe2\x80\xae gr\xc3\xbcn");
        if (i == 4)
            strcpy(words, "short");
        ask(n, "failed %s", words);
        aborted(o, PS_ERR_ABORTED);
        const char *there = ask(o, "reason");
        if (i == 0)
            CHECK(strlen(there) > 0);
        if (i == 1)
            CHECK(strlen(there) == 1024 && strncmp(there, words, 1024) == 0);
        if (i == 2)
            CHECK(strncmp(there, "no UTF-8: ", 10) == 0);
        if (i == 3)
            CHECK_STR(there, "\\x1b[2J\\x07\\u009b\\u202e gr\xc3\xbcn");
        if (i == 4)
            CHECK_STR(there, "short");
        aborted(n, PS_ERR_ABORTED);
        leave(n);
    }
    party *n = takeover("new");
    bring(o, n, MET, LOADING);
    CHECK_STR(ask(o, "reason"), "short"); /* until the next ABORTED */
    ask(o, "cancel");
    aborted(o, PS_ERR_CANCELLED);
    CHECK(strcmp(ask(o, "reason"), "short") != 0);
    aborted(n, PS_ERR_CANCELLED);
    stage_end();
    return 0;
}
