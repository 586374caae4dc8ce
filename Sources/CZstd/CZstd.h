// libzstd (Debian: libzstd-dev), for the file of a backup. Only the header that Backup uses; nothing else
// lives here.
#pragma once

#include <zstd.h>
#include <zstd_errors.h>
