// Part of what wasm_app.h included in 2019.
#pragma once
#include "bi-inc/shared_utils.h"
