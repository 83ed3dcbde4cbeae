// The name that wa-inc/timer_wasm_app.h had until 2020.
#pragma once
#include "wa-inc/timer_wasm_app.h"
