/*
 * fb_edit.h
 *		Edit distance and longest common subsequence of sequences.
 */
#ifndef FB_EDIT_H
#define FB_EDIT_H

#include "core/fb_text.h"

extern int64_t fb_edit_distance(FbWork *work, FbTokens a, FbTokens b);
extern int64_t fb_common_subsequence(FbWork *work, FbTokens a, FbTokens b);

#endif							/* FB_EDIT_H */
