"""The exports of an instance as attributes and items."""


class Exports:
    def __init__(self, instance):
        self._instance = instance

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError("the module does not export '%s'" % name)
        return self[name]

    def __getitem__(self, name):
        return self._instance.export(name)

    def __iter__(self):
        return iter([e[0] for e in self._instance.module.export_list])

    def __contains__(self, name):
        return self._instance.module.find_export(name) is not None
