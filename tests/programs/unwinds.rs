// SPDX-License-Identifier: BSD-2-Clause
// Panics that are caught and panics in threads, and a backtrace, through functions that are traced.
use std::panic;

struct Counted<'a>(&'a mut u64);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *self.0 += 1;
    }
}

#[inline(never)]
fn traced_leaf(i: u64) -> u64 {
    if i % 2 == 0 {
        panic!("leaf {i}");
    }
    i
}

#[inline(never)]
fn traced_cleanup(i: u64, cleaned: &mut u64) -> u64 {
    let counted = Counted(cleaned);
    let got = traced_leaf(i);
    *counted.0 += 10;
    got
}

#[inline(never)]
fn traced_catch(i: u64, cleaned: &mut u64) -> u64 {
    panic::catch_unwind(panic::AssertUnwindSafe(|| traced_cleanup(i, cleaned))).unwrap_or(1000)
}

#[inline(never)]
fn traced_thread(i: u64) -> u64 {
    std::thread::spawn(move || traced_leaf(i)).join().unwrap_or(7)
}

fn main() {
    let count: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let (mut sum, mut cleaned) = (0, 0);

    traced_catch(0, &mut cleaned);
    panic::set_hook(Box::new(|_| ()));
    for i in 0..count {
        sum += traced_catch(i, &mut cleaned);
    }
    println!("sum {sum}, cleaned {cleaned}, threads {} {}", traced_thread(3), traced_thread(4));
    std::process::exit(3);
}
