// SPDX-License-Identifier: BSD-2-Clause
// A C++ program: names to demangle, a virtual call, a template and a lambda on the way to the wait.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace geometry
{

struct Shape {
	virtual ~Shape() = default;
	virtual void draw(int milliseconds) const = 0;
};

struct Circle : Shape {
	__attribute__((noinline)) void draw(int milliseconds) const override
	{
		std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
		__asm__ volatile("" ::: "memory");
	}
};

template <typename Action>
__attribute__((noinline)) void for_each_shape(const std::vector<std::unique_ptr<Shape>> &shapes,
					      Action action)
{
	for (const auto &shape : shapes)
		action(*shape);
	__asm__ volatile("" ::: "memory");
}

} // namespace geometry

int main(int argc, char **argv)
{
	if (argc != 3) {
		std::fprintf(stderr, "usage: shapes COUNT MILLISECONDS\n");
		return 2;
	}
	std::vector<std::unique_ptr<geometry::Shape>> shapes;
	int milliseconds = std::atoi(argv[2]);

	for (int i = 0; i < std::atoi(argv[1]); i++)
		shapes.push_back(std::make_unique<geometry::Circle>());
	geometry::for_each_shape(shapes,
				 [=](const geometry::Shape &shape) { shape.draw(milliseconds); });
}
