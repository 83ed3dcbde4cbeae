// C++ without its standard library: static constructors, virtual functions, templates, new and delete.
// Exceptions and run-time type information are off; they would pull in a C++ run-time library.

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void *operator new(size_t size)
{
    return malloc(size);
}

void operator delete(void *block) noexcept
{
    free(block);
}

void operator delete(void *block, size_t) noexcept
{
    free(block);
}

namespace {

// Counts itself; the constructor of the static below runs before main, in __wasm_call_ctors.
struct Counter {
    int made;
    explicit Counter(int first) : made(first) { puts("counter ready"); }
};

Counter counter(100);

struct Shape {
    Shape *next = nullptr;
    const int id;
    Shape() : id(++counter.made) {}
    virtual ~Shape() { printf("shape %d gone\n", id); }
    virtual const char *name() const { return "shape"; }
    virtual double area() const { return 0; }
};

struct Rectangle : Shape {
    double width, height;
    Rectangle(double w, double h) : width(w), height(h) {}
    const char *name() const override { return "rectangle"; }
    double area() const override { return width * height; }
};

struct Circle : Shape {
    double radius;
    explicit Circle(double r) : radius(r) {}
    const char *name() const override { return "circle"; }
    double area() const override { return 3.141592653589793 * radius * radius; }
};

// A stack of owned objects linked through their own `next`.
template <typename T> class Owner {
    T *first = nullptr;

public:
    ~Owner()
    {
        while (first) {
            T *item = first;
            first = item->next;
            delete item;
        }
    }

    void add(T *item)
    {
        item->next = first;
        first = item;
    }

    template <typename Visit> void each(Visit visit) const
    {
        for (const T *item = first; item; item = item->next)
            visit(*item);
    }
};

} // namespace

extern "C" int main()
{
    Owner<Shape> shapes;
    shapes.add(new Rectangle(2, 3.5));
    shapes.add(new Circle(1.5));
    shapes.add(new Shape);

    double total = 0;
    shapes.each([&total](const Shape &shape) {
        printf("%d %s %.3f\n", shape.id, shape.name(), shape.area());
        total += shape.area();
    });
    printf("total %.3f\n", total);
    return 0;
}
