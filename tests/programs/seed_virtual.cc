/* SPDX-License-Identifier: BSD-2-Clause */
/* Seed 001's C++ example: an object is made, used through its base and destroyed through it. */
struct A {
	A();
	virtual void foo();
	virtual ~A();
};

struct B : A {
	B();
	void foo() override;
	~B() override;
};

A::A()
{
}

void A::foo()
{
}

A::~A()
{
}

B::B()
{
}

void B::foo()
{
}

B::~B()
{
}

int main()
{
	A *object = new B;

	object->foo();
	delete object;
	return 0;
}
