// SPDX-License-Identifier: BSD-2-Clause
// Put behind a flame graph's own script, uses it as a person would and leaves "verdict: ok" or what was wrong
// in an element of the document. See flamegraph-browser.sh.
(function () {
  'use strict';

  const complaints = [];
  const svg = document.documentElement;
  const input = svg.querySelector('input');
  const frames = () => [...svg.querySelectorAll('.frame')];
  const box = node => node.getBoundingClientRect();
  const head = () => [...svg.querySelectorAll('.head text')].map(text => text.textContent).join('|');

  function expect(isTrue, complaint) {
    if (!isTrue)
      complaints.push(complaint);
  }

  function press(key, options) {
    window.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true, ...options }));
  }

  function expectFit() {
    const width = box(svg).width;

    for (const text of svg.querySelectorAll('text'))
      expect(box(text).right <= width + 1 && box(text).left >= 0, 'outside of the window: ' + text.textContent);
    for (const group of frames()) {
      const rect = box(group.firstChild);
      const text = group.querySelector('text');

      expect(rect.left >= 9 && rect.right <= width - 9, 'frame outside: ' + group.flameFrame.name);
      expect(!text || box(text).right <= rect.right, 'text wider than its frame: ' + group.flameFrame.name);
      expect(text || rect.width < 100, 'no text in a wide frame: ' + group.flameFrame.name);
    }
  }

  function expectNesting() {
    const rects = new Map(frames().map(group => [group.flameFrame, box(group.firstChild)]));

    for (const [frame, rect] of rects) {
      const parent = rects.get(frame.parent);

      expect(!frame.parent || parent, 'a frame without its parent: ' + frame.name);
      expect(!parent || (rect.left >= parent.left - 0.1 && rect.right <= parent.right + 0.7),
             'wider than its parent: ' + frame.name);
    }
  }

  // the deepest frame that does not already take the whole width, so that a zoom is seen
  function someFrame() {
    const narrow = frames().filter(group => group.flameFrame.parent &&
                                   box(group.firstChild).width < box(svg).width - 40);

    return narrow.sort((a, b) => b.flameFrame.depth - a.flameFrame.depth)[0];
  }

  function tryTip(group) {
    const rect = box(group.firstChild);

    group.firstChild.dispatchEvent(new PointerEvent('pointermove',
      { bubbles: true, clientX: rect.left + rect.width / 2, clientY: rect.top + 5 }));
    const tip = svg.querySelector('.tip');
    expect(tip.textContent.includes('of all'), 'no details at the pointer: ' + tip.textContent);
    expectFit();
    svg.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
    expect(!tip.textContent, 'details stay behind');
  }

  function tryZoom(group) {
    const frame = group.flameFrame;

    group.firstChild.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    const zoomed = frames().find(other => other.flameFrame === frame);
    expect(zoomed && Math.abs(box(zoomed.firstChild).width - (box(svg).width - 20)) < 2, 'zoomed is not as wide as the window');
    expect(svg.querySelectorAll('.ancestor').length === frame.depth, 'ancestors of the zoomed frame');
    expect(location.hash === '#zoom=' + frame.index, 'address: ' + location.hash);
    expect(head().includes('reset zoom'), 'no way back');
    expectFit();
    press('Escape');
    expect(!svg.querySelector('.ancestor'), 'Escape does not end the zoom');
  }

  function trySearch(pattern) {
    press('/');
    expect(document.activeElement === input, '/ does not lead to the search');
    input.value = pattern;
    input.dispatchEvent(new Event('input'));
    for (const group of frames())
      expect(group.classList.contains('match') === (group.flameFrame.depth > 0 &&
             new RegExp(pattern, 'i').test(group.flameFrame.name)), 'match of ' + group.flameFrame.name);
    expect(svg.querySelector('.match'), 'nothing found');
    expect(/matched: \d+\.\d+ %/.test(head()), 'no share of what was found: ' + head());
    expectFit();
    input.value = '(';
    input.dispatchEvent(new Event('input'));
    expect(head().includes('not a regular expression'), 'a wrong expression is not told');
    press('Escape');
    expect(!svg.querySelector('.match') && !input.value, 'Escape does not end the search');
  }

  setTimeout(() => {
    const group = someFrame();
    const name = group.flameFrame.name.replace(/[^a-zA-Z0-9_]/g, '.').toLowerCase();

    expectFit();
    expectNesting();
    tryTip(group);
    tryZoom(group);
    trySearch(name.slice(0, 8) + '.*');
    press('f', { ctrlKey: true });
    expect(document.activeElement === input, 'Ctrl-F does not lead to the search');
    const verdict = document.createElementNS('http://www.w3.org/2000/svg', 'desc');
    verdict.textContent = 'verdict: ' + (complaints.slice(0, 5).join('; ') || 'ok, ' + frames().length + ' frames at ' + box(svg).width);
    svg.appendChild(verdict);
  }, 300);
})();
