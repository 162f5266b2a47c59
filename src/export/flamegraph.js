// SPDX-License-Identifier: BSD-2-Clause
// The moving parts of a flame graph: it is drawn at the window's width, zoomed by a click, searched, and each
// frame says what it is. The frames come from <metadata> (see put_frame_numbers in flamegraph_svg.c).
(function () {
  'use strict';

  const NAMESPACE = 'http://www.w3.org/2000/svg';
  const MARGIN = 10;
  const LINE_HEIGHT = 17;
  const FRAME_HEIGHT = 18;
  const TEXT_BASE = 12;
  const TEXT_PADDING = 4;
  const TEXT_COLUMNS_MIN = 3;
  const SHARE_HEIGHT = 3;
  const VISIBLE_WIDTH = 0.3;
  const KINDS = ['thread', '', 'kernel', 'inlined', '', '', 'library'];

  const svg = (document.currentScript && document.currentScript.closest('svg')) || document.documentElement;
  const data = JSON.parse(svg.querySelector('metadata').textContent);
  const frames = readFrames(data);
  const state = { zoomed: frames[0], pattern: '', matches: new Set(), matched: 0, isWrong: false };

  // ---- the frames ----

  function readFrames(data) {
    const frames = [];
    const path = []; // the frame of each depth on the way to the current one
    const numbers = data.frames;

    for (let i = 0; i < numbers.length; i += 8) {
      const depth = numbers[i];
      const parent = depth ? path[depth - 1] : null;
      const [kind, module, file, line] = data.places[numbers[i + 2]];
      const values = numbers.slice(i + 5, i + 8);
      const frame = {
        index: frames.length, depth, parent, children: [], values,
        name: data.names[numbers[i + 1]], kind: KINDS[kind], module, file, line,
        paint: numbers[i + 3], css: data.paints[numbers[i + 3]][0] + numbers[i + 4],
        total: values[0] + values[1] + values[2],
        start: parent ? parent.start + parent.filled : 0, filled: 0,
      };

      if (parent) {
        parent.filled += frame.total;
        parent.children.push(frame);
      }
      path[depth] = frame;
      frames.push(frame);
    }
    return frames;
  }

  // ---- words and numbers ----

  function threeDigits(value, unit) {
    return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + ' ' + unit;
  }

  function valueText(value) {
    return data.isCount ? value.toLocaleString('en') + (value === 1 ? ' call' : ' calls') : timeText(value);
  }

  function timeText(ns) {
    if (ns < 1e3)
      return ns + ' ns';
    if (ns < 999500)
      return threeDigits(ns / 1e3, 'us');
    if (ns < 999500000)
      return threeDigits(ns / 1e6, 'ms');
    if (ns < 600e9)
      return threeDigits(ns / 1e9, 's');
    return Math.floor(ns / 3600e9) + ' h ' + String(Math.floor(ns / 60e9) % 60).padStart(2, '0') + ' min';
  }

  function percentText(part, whole) {
    const percent = whole ? 100 * part / whole : 0;

    return percent.toFixed(percent && percent < 0.95 ? 2 : 1) + ' %';
  }

  function detailLines(frame) {
    const lines = [frame.name];
    const where = [frame.kind, frame.module, frame.file && frame.file + (frame.line ? ':' + frame.line : '')];
    const shares = [valueText(frame.total), percentText(frame.total, frames[0].total) + ' of all'];
    const parts = data.columns.map((name, i) => frame.values[i] && valueText(frame.values[i]) + ' ' + name);

    if (where.some(Boolean))
      lines.push(where.filter(Boolean).join(', '));
    if (frame.parent)
      shares.push(percentText(frame.total, frame.parent.total) + ' of parent');
    lines.push(shares.join(', '));
    lines.push(parts.filter(Boolean).join(', '));
    return lines;
  }

  // ---- text of a fixed-width font ----

  const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

  function columnsOf(character) {
    return character >= '\u{1f300}' && character.codePointAt(0) > 0xffff || WIDE.test(character) ? 2 : 1;
  }

  function textColumns(text) {
    let columns = 0;

    for (const character of text)
      columns += columnsOf(character);
    return columns;
  }

  // The text, or as much of it as fits with an ellipsis behind.
  function fitText(text, columns) {
    let left = columns - 1;
    let fitting = '';

    if (textColumns(text) <= columns)
      return text;
    for (const character of text) {
      left -= columnsOf(character);
      if (left < 0)
        break;
      fitting += character;
    }
    return fitting + '\u2026';
  }

  function wrapText(text, columns) {
    const lines = [''];

    for (const word of text.split(' ')) {
      const line = lines[lines.length - 1];
      const longer = line ? line + ' ' + word : word;

      if (textColumns(longer) <= columns || !line)
        lines[lines.length - 1] = longer;
      else
        lines.push(word);
    }
    return lines.map(line => fitText(line, columns));
  }

  // ---- elements ----

  function element(parent, name, attributes, text) {
    const made = document.createElementNS(NAMESPACE, name);

    for (const key in attributes)
      made.setAttribute(key, attributes[key]);
    if (text !== undefined)
      made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function measureColumn() {
    const sample = element(svg, 'text', { visibility: 'hidden' }, 'm'.repeat(100));
    const width = sample.getComputedTextLength() / 100;

    sample.remove();
    return width || 7.3;
  }

  for (const old of [...svg.children])
    if (!['title', 'style', 'metadata', 'script'].includes(old.localName) && !old.classList.contains('back'))
      old.remove();
  svg.removeAttribute('viewBox');
  svg.setAttribute('width', '100%');

  const columnWidth = measureColumn();
  const picture = element(svg, 'g', {});
  const controls = element(svg, 'g', { class: 'head' });
  const tip = element(svg, 'g', { class: 'tip' });
  const search = makeSearch();
  let width = 0; // of the window

  function makeSearch() {
    const holder = element(controls, 'foreignObject', { height: 24 });
    const input = document.createElementNS('http://www.w3.org/1999/xhtml', 'input');

    input.setAttribute('class', 'search');
    input.setAttribute('type', 'search');
    input.setAttribute('placeholder', 'search (/)');
    input.setAttribute('title', 'a regular expression; capitals matter if it has any');
    input.setAttribute('aria-label', 'search functions');
    holder.appendChild(input);
    return { holder, input };
  }

  // ---- drawing ----

  function drawLegend(head, y) {
    const used = new Set(frames.map(frame => frame.paint));
    let x = MARGIN;

    data.paints.forEach(([css, label], paint) => {
      const itemWidth = 16 + (label.length + 2) * columnWidth;

      if (paint < 2 || !used.has(paint))
        return;
      if (x > MARGIN && x + itemWidth - 2 * columnWidth > width - MARGIN) {
        x = MARGIN;
        y += LINE_HEIGHT;
      }
      element(head, 'rect', { class: css + '2', x, y: y + 2, width: 11, height: 11 });
      element(head, 'text', { x: x + 16, y: y + TEXT_BASE }, label);
      x += itemWidth;
    });
    return y + LINE_HEIGHT;
  }

  function drawHead() {
    const columns = Math.floor((width - 2 * MARGIN) / columnWidth);
    const head = element(picture, 'g', { class: 'head' });
    let y = MARGIN;

    element(picture, 'text', { class: 'title', x: MARGIN, y: y + TEXT_BASE },
            fitText(data.title, Math.floor(columns * 12 / 16)));
    y += LINE_HEIGHT + 4;
    for (const line of data.lines)
      for (const part of wrapText(line, columns)) {
        element(head, 'text', { x: MARGIN, y: y + TEXT_BASE }, part);
        y += LINE_HEIGHT;
      }
    return drawControls(drawLegend(head, y + 4) + 4);
  }

  function statusText() {
    const scope = state.zoomed.parent ? ' of the zoomed frame' : '';

    if (!state.pattern)
      return '';
    return (state.isWrong ? 'not a regular expression, taken as text; ' : '') + 'matched: ' +
           percentText(state.matched, state.zoomed.total) + scope + ', ' + valueText(state.matched);
  }

  // The search field, what it found, and the way back from a zoom; in a narrow window below each other.
  function drawControls(y) {
    const fieldWidth = Math.min(300, width - 2 * MARGIN);
    let x = MARGIN + fieldWidth + 12;

    for (const old of [...controls.querySelectorAll('text')])
      old.remove();
    search.holder.setAttribute('x', MARGIN);
    search.holder.setAttribute('y', y);
    search.holder.setAttribute('width', fieldWidth);
    search.input.classList.toggle('wrong', state.isWrong);

    for (const [text, css] of [[statusText(), ''], [state.zoomed.parent ? 'reset zoom (Esc)' : '', 'button']]) {
      const textWidth = text.length * columnWidth;

      if (!text)
        continue;
      if (x > MARGIN && x + textWidth > width - MARGIN) {
        x = MARGIN;
        y += 24;
      }
      element(controls, 'text', { class: css, x, y: y + 16 }, fitText(text, Math.floor((width - MARGIN - x) / columnWidth)));
      x += textWidth + 2 * columnWidth;
    }
    return y + 24 + 8;
  }

  function drawShare(group, frame, x, frameWidth) {
    const onWidth = frameWidth * frame.values[0] / frame.total;
    const y = FRAME_HEIGHT - 1 - SHARE_HEIGHT;

    if (!frame.values[0] || frame.values[0] === frame.total || frameWidth < 2)
      return;
    element(group, 'rect', { class: 'warm', x, y, width: onWidth.toFixed(1), height: SHARE_HEIGHT });
    element(group, 'rect', { class: 'cool', x: x + onWidth, y, width: (frameWidth - onWidth).toFixed(1), height: SHARE_HEIGHT });
  }

  function drawFrame(parent, frame, x, frameWidth, y, isAncestor) {
    const css = 'frame' + (isAncestor ? ' ancestor' : '') + (state.matches.has(frame) ? ' match' : '');
    const group = element(parent, 'g', { class: css, transform: 'translate(0 ' + y + ')' });
    const visibleWidth = frameWidth - (frameWidth > 4 ? 0.5 : 0);
    const columns = Math.floor((frameWidth - 2 * TEXT_PADDING) / columnWidth);

    group.flameFrame = frame;
    element(group, 'rect', {
      class: frame.css, x: x.toFixed(1), width: visibleWidth.toFixed(1), height: FRAME_HEIGHT - 1,
    });
    drawShare(group, frame, x, visibleWidth);
    if (columns >= TEXT_COLUMNS_MIN)
      element(group, 'text', { x: (x + TEXT_PADDING).toFixed(1), y: TEXT_BASE }, fitText(frame.name, columns));
  }

  // The zoomed frame takes the whole width, its ancestors above it too. Returns the lowest depth drawn.
  function drawFrames(top) {
    const inner = width - 2 * MARGIN;
    const scale = state.zoomed.total ? inner / state.zoomed.total : 0;
    const parent = element(picture, 'g', { class: state.matches.size ? 'searched' : '' });
    const pending = [state.zoomed];
    let lowest = state.zoomed.depth;

    for (let up = state.zoomed.parent; up; up = up.parent)
      drawFrame(parent, up, MARGIN, inner, top + up.depth * FRAME_HEIGHT, true);
    while (pending.length) {
      const frame = pending.pop();
      const frameWidth = frame === state.zoomed ? inner : frame.total * scale;

      if (frameWidth < VISIBLE_WIDTH)
        continue;
      drawFrame(parent, frame, MARGIN + (frame.start - state.zoomed.start) * scale, frameWidth,
                top + frame.depth * FRAME_HEIGHT, false);
      lowest = Math.max(lowest, frame.depth);
      pending.push(...frame.children);
    }
    return lowest;
  }

  function draw() {
    picture.replaceChildren();
    hideTip();
    width = Math.max(svg.getBoundingClientRect().width, 120);
    const top = drawHead();
    const lowest = drawFrames(top);
    const height = top + (lowest + 1) * FRAME_HEIGHT + MARGIN;
    // alone in a window, its background fills the window
    svg.setAttribute('height', svg === document.documentElement ? Math.max(height, window.innerHeight) : height);
    // a scroll bar may have come or gone
    if (Math.abs(Math.max(svg.getBoundingClientRect().width, 120) - width) >= 1)
      requestAnimationFrame(draw);
  }

  // ---- details at the pointer ----

  function hideTip() {
    tip.replaceChildren();
  }

  function showTip(frame, clientX, clientY) {
    const box = svg.getBoundingClientRect();
    const columns = Math.floor((width - 2 * MARGIN - 12) / columnWidth);
    const lines = detailLines(frame).flatMap(line => wrapText(line, columns)).slice(0, 12);
    const tipWidth = Math.max(...lines.map(textColumns)) * columnWidth + 12;
    const tipHeight = lines.length * LINE_HEIGHT + 8;
    const bottom = Math.min(box.height, window.innerHeight - box.top);
    const below = clientY - box.top + 16;
    const x = Math.max(MARGIN, Math.min(clientX - box.left + 12, width - MARGIN - tipWidth));
    const y = below + tipHeight <= bottom ? below : clientY - box.top - tipHeight - 8;

    hideTip();
    element(tip, 'rect', { x, y, width: tipWidth, height: tipHeight, rx: 3 });
    lines.forEach((line, i) => {
      element(tip, 'text', { x: x + 6, y: y + 4 + i * LINE_HEIGHT + TEXT_BASE }, line);
    });
  }

  function frameAt(event) {
    const group = event.target.closest && event.target.closest('.frame');

    return group ? group.flameFrame : null;
  }

  // ---- search ----

  // Time of matching frames below the zoomed one; what lies in a matching frame is not counted again.
  function matchedTime() {
    const pending = [state.zoomed];
    let matched = 0;

    while (pending.length) {
      const frame = pending.pop();

      if (state.matches.has(frame))
        matched += frame.total;
      else
        pending.push(...frame.children);
    }
    return matched;
  }

  function setPattern(pattern) {
    const flags = pattern === pattern.toLowerCase() ? 'iu' : 'u';
    let expression = null;

    state.pattern = pattern;
    state.isWrong = false;
    try {
      expression = new RegExp(pattern, flags);
    } catch (error) {
      state.isWrong = true;
    }
    state.matches = new Set(!pattern ? [] : frames.filter(frame => frame.parent &&
      (expression ? expression.test(frame.name) : frame.name.includes(pattern))));
    state.matched = matchedTime();
  }

  // ---- the address: #zoom=FRAME&search=PATTERN, so that a view can be passed on and Back undoes a zoom ----

  function addressText() {
    const parts = new URLSearchParams();

    if (state.zoomed.parent)
      parts.set('zoom', state.zoomed.index);
    if (state.pattern)
      parts.set('search', state.pattern);
    return '#' + parts;
  }

  function setAddress(isNewEntry) {
    try {
      if (addressText() !== (location.hash || '#'))
        history[isNewEntry ? 'pushState' : 'replaceState'](null, '', addressText());
    } catch (error) {
      // a page that may not change its address works without
    }
  }

  function readAddress() {
    const parts = new URLSearchParams(location.hash.slice(1));

    state.zoomed = frames[parts.get('zoom')] || frames[0];
    setPattern(parts.get('search') || '');
    search.input.value = state.pattern;
    draw();
  }

  function zoom(frame) {
    state.zoomed = frame;
    state.matched = matchedTime();
    setAddress(true);
    draw();
  }

  // ---- events ----

  svg.addEventListener('click', event => {
    const frame = frameAt(event);

    if (frame)
      zoom(frame);
    else if (event.target.classList.contains('button'))
      zoom(frames[0]);
  });
  svg.addEventListener('pointermove', event => {
    const frame = frameAt(event);

    if (frame)
      showTip(frame, event.clientX, event.clientY);
    else
      hideTip();
  });
  svg.addEventListener('pointerleave', hideTip);
  search.input.addEventListener('input', () => {
    setPattern(search.input.value);
    setAddress(false);
    draw();
  });
  window.addEventListener('keydown', event => {
    const isInSearch = document.activeElement === search.input;

    if (event.key === 'Escape') {
      if (state.pattern || isInSearch) {
        search.input.value = '';
        search.input.blur();
        setPattern('');
        setAddress(false);
        draw();
      } else {
        zoom(frames[0]);
      }
    } else if (!isInSearch && (event.key === '/' || ((event.ctrlKey || event.metaKey) && event.key === 'f'))) {
      event.preventDefault();
      search.input.focus();
      search.input.select();
    }
  });
  window.addEventListener('resize', draw);
  window.addEventListener('popstate', readAddress);
  window.addEventListener('hashchange', readAddress);

  readAddress();
})();
