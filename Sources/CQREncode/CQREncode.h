// libqrencode (Debian: libqrencode-dev), for invitations as QR codes. Only the header that timelinectl uses;
// nothing else lives here.
#pragma once

#include <qrencode.h>
