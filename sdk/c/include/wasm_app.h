// Everything an app needs: an app defines on_init() and, if it wants it, on_destroy().
#pragma once
#include "bi-inc/attr_container.h"
#include "bi-inc/shared_utils.h"
#include "wa-inc/connection.h"
#include "wa-inc/request.h"
#include "wa-inc/sensor.h"
#include "wa-inc/timer_wasm_app.h"
