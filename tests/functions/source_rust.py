# SPDX-License-Identifier: BSD-2-Clause
"""Writes a plan down as a program in Rust. Its calls take (x, n), its exceptions are panics."""

PROLOGUE = r'''// Made by tests/functions/generate. Every call that it makes is known: see plan.py.
#![allow(unused)]
use std::fs::File;
use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write;
use std::panic::{catch_unwind, panic_any, set_hook};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

extern "C" {
    fn gettid() -> i32;
}

static SUM: AtomicU64 = AtomicU64::new(0);

#[inline(always)]
fn say(word: &str, name: &str, value: u64) {
    let path = std::env::args().nth(1).unwrap();
    let mut truth = OpenOptions::new().append(true).create(true).open(path).unwrap();
    truth.write_all(format!("{word} {name} {value}\n").as_bytes()).unwrap();
}

#[inline(always)]
fn add(work: &AtomicU64, begin: Instant) {
    work.fetch_add(begin.elapsed().as_nanos() as u64, Relaxed);
}

'''


class RustSource:
    def __init__(self, plan):
        self.plan = plan

    @staticmethod
    def call(name, n):
        return f"x = black_box(x.wrapping_add({name}(x, {n})));"

    def steps(self, function):
        lines = []
        for callee, n, times in function.steps:
            name = callee.name
            if function.kind == "pointer":
                lines.append(f"    let to: fn(u64, u64) -> u64 = black_box({name});\n")
                name = "to"
            one = f"    {self.call(name, n)}\n"
            lines.append(one if times == 1 else f"    for _ in 0..{times} {{\n    {one}    }}\n")
        return "".join(lines)

    def body(self, function):
        kind, index = function.kind, function.index
        if kind == "recurse":
            return f"    if n > 0 {{\n        {self.call(function.name, 'n - 1')}\n    }}\n    x ^ {index}\n"
        if kind in ("mutual", "mutual_other"):
            other = function.parts[0] if function.parts else self.plan.functions[index - 1]
            return f"    if n > 0 {{\n        {self.call(other.name, 'n - 1')}\n    }}\n    x ^ {index}\n"
        if kind == "spin":
            return (f"    let begin = Instant::now();\n    while begin.elapsed() < Duration::from_nanos({function.work_ns}) "
                    f"{{}}\n    add(&WORK_{index}, begin);\n    x\n")
        if kind == "sleep":
            return (f"    let begin = Instant::now();\n    std::thread::sleep(Duration::from_nanos({function.work_ns}));\n"
                    f"    add(&WORK_{index}, begin);\n    x\n")
        if kind == "catcher":
            return (f"    match catch_unwind(|| {function.parts[0].name}(x, 0)) {{\n        Ok(y) => x += y,\n"
                    f"        Err(thrown) => x = x.wrapping_add(*thrown.downcast_ref::<u64>().unwrap()),\n    }}\n    x\n")
        if "_hop" in kind:
            return self.hop(function)
        if kind == "thread":
            number = self.plan.threads.index(function)
            return (f"    say(\"role\", \"thread{number}\", unsafe {{ gettid() }} as u64);\n{self.steps(function)}"
                    f"    SUM.fetch_add(x, Relaxed);\n    x\n")
        return f"    x = black_box(x.wrapping_mul({2 * index + 5}).wrapping_add({index}));\n{self.steps(function)}    x\n"

    def hop(self, function):
        number = int(function.kind[-1])
        if number == 3:
            return "    panic_any(black_box(x));\n"
        following = self.plan.functions[function.index + 1].name
        destroyed = f"    let _destroyed = Destroyed{function.index}(x);\n" if number == 2 else ""
        return f"{destroyed}    {self.call(following, 'n + 1')}\n    x\n"

    def destroyed_types(self):
        return "".join(f"struct Destroyed{one.parts[1].index}(u64);\nimpl Drop for Destroyed{one.parts[1].index} {{\n"
                       f"    #[inline(always)]\n    fn drop(&mut self) {{\n        black_box({one.parts[3].name}(self.0, 0));\n"
                       f"    }}\n}}\n\n" for one in self.plan.functions if one.kind == "catcher")

    def main(self):
        work = "".join(f"    say(\"work\", \"{one.name}\", WORK_{one.index}.load(Relaxed));\n" for one in self.working())
        spawn = "".join(f"        std::thread::spawn(|| {{ {one.name}(0, 0); }}),\n" for one in self.plan.threads)
        return (f"fn main() {{\n    let mut x = 1u64;\n    set_hook(Box::new(|_| {{}}));\n"
                f"    say(\"role\", \"main\", unsafe {{ gettid() }} as u64);\n    let threads = [\n{spawn}    ];\n"
                f"    {self.call('gen_main', 0)}\n    for thread in threads {{\n        thread.join().unwrap();\n    }}\n{work}"
                f"    println!(\"{{}}\", x.wrapping_add(SUM.load(Relaxed)));\n}}\n")

    def working(self):
        return [one for one in self.plan.functions if one.kind in ("spin", "sleep")]

    def program(self):
        text = PROLOGUE + self.destroyed_types()
        text += "".join(f"static WORK_{one.index}: AtomicU64 = AtomicU64::new(0);\n" for one in self.working()) + "\n"
        for one in self.plan.functions:
            text += f"#[inline(never)]\nfn {one.name}(mut x: u64, n: u64) -> u64 {{\n{self.body(one)}}}\n\n"
        return text + f"#[inline(never)]\nfn gen_main(mut x: u64, n: u64) -> u64 {{\n{self.steps(self.plan.main)}    x\n}}\n\n" + \
            self.main()
