// SPDX-License-Identifier: BSD-2-Clause
// Functions whose parameters lie where the ABI puts them: in registers, around structures and
// floating-point numbers, behind the address of what is returned.
#include <cstdio>
#include <cstring>
#include <string>

namespace app
{

struct Two {
	long a, b;
};

struct Mixed {
	double a;
	int b;
};

struct Floats {
	float a, b;
};

struct Large {
	char bytes[40];
};

enum Color {
	RED,
	GREEN = 7
};

__attribute__((noinline)) int plain(const char *text, unsigned short port, Color color, bool ok,
				    long long large, char letter, int seventh, unsigned char eighth)
{
	__asm__ volatile("");
	return port + color + ok + (int)large + letter + seventh + eighth + (int)std::strlen(text);
}

__attribute__((noinline)) int structures(Two two, int after, Mixed mixed, int last)
{
	__asm__ volatile("");
	return (int)(two.a + two.b) + after + mixed.b + last;
}

__attribute__((noinline)) int floats(double a, int b, float c, char *text, Floats d, int e)
{
	__asm__ volatile("");
	return (int)a + b + (int)c + text[0] + (int)d.a + e;
}

__attribute__((noinline)) Large in_memory(int a, Large b, int c)
{
	__asm__ volatile("");
	b.bytes[0] = (char)(a + c);
	return b;
}

/* gcc does not say how a class with constructors is passed: nothing is said of its arguments */
__attribute__((noinline)) std::size_t with_class(std::string text, int a)
{
	__asm__ volatile("");
	return text.size() + (std::size_t)a;
}

struct Object {
	int value;

	__attribute__((noinline)) const char *method(int x)
	{
		__asm__ volatile("");
		value = x;
		return "name";
	}
};

} // namespace app

int main()
{
	/* not literals: a page of these that nobody has read yet is not there to be read */
	char hello[] = "hello", text[] = "text";
	app::Object object;
	int sum = 0;

	sum += app::plain(hello, 80, app::GREEN, true, -5, 'x', -7, 200);
	sum += app::structures({1, 2}, 33, {1.5, 4}, 44);
	sum += app::floats(1.5, 11, 2.5f, text, {1, 2}, 22);
	sum += app::in_memory(5, app::Large{}, 6).bytes[0];
	sum += (int)app::with_class("class", 3);
	sum += object.method(99)[0];
	std::printf("%d\n", sum);
	return 0;
}
