"""The settings of the app manager: wamr.serve(setting=value) changes them."""


class Config:
    # Limits; the texts and statuses of exceeding them are those of WAMR.
    max_apps = 3
    heap_default = 8192  # bytes of an app's heap
    heap_start = 1024  # bytes of it to begin with; it gets the rest when it needs it
    heap_min = 256
    heap_max = 512 * 1024 * 1024
    timers_default = 20  # running at once, per app
    timers_max = 30
    # ms that one handler may compute; `wd` of an install sets it for its app
    watchdog_default = 180000
    watchdog_min = 100
    queue_length = 50  # messages, of each app
    max_resources = 16  # per app
    max_subscriptions = 16
    max_connections = 20
    max_request = 16384  # bytes of a request's payload, which is held in RAM
    max_install = 1048576  # bytes of an app's file
    frame_timeout = 2000  # ms without a byte in the middle of a frame: it is given up
    # ms between two frames to the host: WAMR's host tool loses the second of two that it reads at
    # once
    frame_pause = 5
    engine = "auto"  # see Instance; "auto" compiles every app while it runs
    stack = 4096  # bytes of the cell stack of each app
    start_fuel = 50000  # for an app's constructors and start function, which nothing can interrupt

    # "B" is what WAMR's hosts have spoken since 2023, "A" the older ones and Espressif's. Both are
    # understood.
    dialect = "B"
    # True: a request that nobody answers is answered with 132 (not found); WAMR is silent, its
    # hosts wait for their timeout.
    answer_all = False
    # The module types of /applet?type=… that can be installed; those in `silent_types` are known
    # but never answered, as in WAMR. "py" and "mpy" are not among them by default: nothing keeps
    # Python code from doing what it likes.
    types = ("wasm",)
    silent_types = ("jeff", "wasmlib")

    # What happens to an app whose handler ran into the watchdog: "restart", until it has crashed
    # `max_crashes` times, less than `crash_window` ms apart; or "disable".
    on_watchdog = "restart"
    max_crashes = 3
    crash_window = 600000
    stop_grace = 100  # ms that the handler of an app gets to end when the app is removed
    destroy_limit = 1000  # ms for on_destroy
    slice_ms = 10  # an app's turn on the processor

    # Which permissions an app has: a dict of app name -> "gpio i2c …", "*" standing for all other
    # apps. None: all have all.
    permissions = None
    machine = None  # the module `machine`, or what stands for it
    display = None  # a framebuf.FrameBuffer with show(), for the display functions
    stdout = None  # where apps print: a callable that takes bytes; None: the console
    log = print  # what the manager says; None: nothing

    def __init__(self, **settings):
        for name in list(settings):
            if not hasattr(self, name):
                raise TypeError("wamr.serve() has no setting '%s'" % name)
            setattr(self, name, settings[name])
