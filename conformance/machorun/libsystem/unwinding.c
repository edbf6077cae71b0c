// The unwinder: this machine's own does the work on the frames that were registered.
#include "../shims.h"
#include <unwind.h>

const struct shim UNWIND_SHIMS[] = {
    SAME(_Unwind_Backtrace),
    SAME(_Unwind_DeleteException),
    SAME(_Unwind_FindEnclosingFunction),
    SAME(_Unwind_ForcedUnwind),
    SAME(_Unwind_GetCFA),
    SAME(_Unwind_GetDataRelBase),
    SAME(_Unwind_GetGR),
    SAME(_Unwind_GetIP),
    SAME(_Unwind_GetIPInfo),
    SAME(_Unwind_GetLanguageSpecificData),
    SAME(_Unwind_GetRegionStart),
    SAME(_Unwind_GetTextRelBase),
    SAME(_Unwind_RaiseException),
    SAME(_Unwind_Resume),
    SAME(_Unwind_Resume_or_Rethrow),
    SAME(_Unwind_SetGR),
    SAME(_Unwind_SetIP),
    {NULL, NULL},
};
