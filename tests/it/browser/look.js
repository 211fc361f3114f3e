// What a reader would find wrong with a page: each function returns a list of problems, empty when there is
// none. Evaluated by the debugger; the pages themselves admit no script.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''}${e.className && e.className.baseVal === undefined ? '.' + e.className : ''}`;
  const few = (problems) => problems.slice(0, 10);
  const unfold = () => all('details').forEach((e) => { e.open = true; });

  // WCAG 2.2, relative luminance and contrast ratio.
  const rgba = (color) => {
    const found = color.match(/rgba?\(([^)]+)\)/);
    if (!found) return null;
    const [r, g, b, a = 1] = found[1].split(/[ ,/]+/).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (color) => {
    const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const grounds = new Map();
  // Every colour that can be behind the text of an element: a gradient has several.
  const behind = (e) => {
    if (!e) return [[255, 255, 255, 1]];
    if (grounds.has(e)) return grounds.get(e);
    const style = getComputedStyle(e);
    const own = rgba(style.backgroundColor) || [0, 0, 0, 0];
    let found = own[3] === 1 ? [own] : behind(e.parentElement).map((below) => over(own, below));
    const drawn = (style.backgroundImage.match(/rgba?\([^)]+\)/g) || []).map(rgba);
    if (drawn.length) found = found.concat(drawn.flatMap((one) => found.map((below) => over(one, below))));
    grounds.set(e, found);
    return found;
  };
  const faded = (e) => { for (let at = e; at; at = at.parentElement) if (getComputedStyle(at).opacity !== '1') return true; return false; };
  const contrast = () => {
    unfold();
    grounds.clear();
    const problems = new Map();
    const ask = (e, color, what) => {
      const ink = rgba(color);
      const worst = Math.min(...behind(e).map((ground) => ratio(over(ink, ground), ground)));
      if (!(worst >= 4.5) || faded(e)) problems.set(name(e) + what, `${name(e)}${what}: ${worst.toFixed(2)}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (walker.nextNode()) {
      const e = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || seen.has(e) || e.closest('title, desc')) continue;
      seen.add(e);
      const style = getComputedStyle(e);
      ask(e, e.closest('svg') ? style.fill : style.color, '');
    }
    all('summary .name, li, [data-label]').forEach((e) => {
      for (const pseudo of ['::before', '::marker']) {
        const style = getComputedStyle(e, pseudo);
        if (pseudo === '::marker' ? e.tagName === 'LI' : style.content !== 'none') ask(e, style.color, pseudo);
      }
    });
    return seen.size < 20 ? ['hardly any text'] : few([...problems.values()]);
  };

  // WCAG 1.4.10: nothing makes the page wider than the screen, and no block lies over another.
  const layout = () => {
    const problems = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) problems.push(`the page is ${scrollWidth} wide, the screen ${clientWidth}`);
    const blocks = all('main > *, .verdict > *, .cause > *').filter((e) => getComputedStyle(e).display !== 'none');
    for (const e of blocks) {
      const [rect, next] = [e.getBoundingClientRect(), e.nextElementSibling?.getBoundingClientRect()];
      if (next?.height && rect.bottom > next.top + 1) problems.push(`${name(e)} lies over what follows`);
      if (rect.right > clientWidth + 1) problems.push(`${name(e)} ends at ${rect.right}`);
    }
    // A runbook has no verdict of its own, and says so in its title.
    if (!document.title.startsWith('Runbook: ')) {
      const [stamp, lead] = ['.stamp', '.lead'].map((one) => document.querySelector(one).getBoundingClientRect());
      const apart = stamp.right <= lead.left + 1 || stamp.bottom <= lead.top + 1;
      if (!apart || stamp.width < 60 || stamp.top < 0 || stamp.top > 60) problems.push('the verdict is covered or gone');
    }
    for (const e of all('td, th')) {
      if (e.closest('thead, details:not([open])') || e.querySelector('.long')) continue;
      const words = document.createRange();
      words.selectNodeContents(e);
      const [own, held] = [e, words].map((one) => one.getBoundingClientRect());
      if (own.height && held.bottom > own.bottom + 1) problems.push(`${name(e)} runs out of its box by ${held.bottom - own.bottom}`);
    }
    // What a box cuts off is lost, unless the box scrolls.
    for (const e of all('main *')) {
      if (e.closest('details:not([open])')) continue;
      const style = getComputedStyle(e);
      const cuts = [style.overflowX, style.overflowY].includes('hidden') && !e.closest('.hidden, thead') && e.clientWidth;
      if (cuts && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) problems.push(`${name(e)} cuts its content off`);
    }
    return few(problems);
  };

  // The picture of a week: all of it is on the screen, and no day lies over the next.
  const weeks = () => {
    const problems = [];
    for (const svg of all('.week svg')) {
      const parts = [...svg.querySelectorAll('rect, text')];
      for (const e of parts) {
        const rect = e.getBoundingClientRect();
        if (rect.right > document.documentElement.clientWidth || rect.left < 0) problems.push(`${name(e)} lies beside the screen`);
      }
      const days = parts.filter((e) => / \d\d$/.test(e.textContent) && e.tagName === 'text').map((e) => e.getBoundingClientRect());
      if (days.length < 7) problems.push('days are missing');
      days.forEach((one, i) => { if (days[i + 1]?.top === one.top && one.right > days[i + 1].left) problems.push('a day lies over the next'); });
      const [bar, whole] = [svg.querySelector('rect.five'), svg].map((e) => e.getBoundingClientRect());
      if (Math.abs(bar.width - whole.width) > 2) problems.push(`a bar of the whole week is ${bar.width} wide, not ${whole.width}`);
    }
    return all('.week svg').length ? few(problems) : ['no week'];
  };

  // WCAG 1.4.12: text may be spaced by the reader.
  const spaced = () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }');
    document.adoptedStyleSheets = [sheet];
    const problems = layout();
    document.adoptedStyleSheets = [];
    return problems;
  };

  const structure = () => {
    const problems = [];
    const levels = all('h1, h2, h3, h4, h5, h6').map((e) => Number(e.tagName[1]));
    if (levels.filter((level) => level === 1).length !== 1 || levels[0] !== 1) problems.push(`headings ${levels}`);
    levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) problems.push(`h${level} under h${levels[i - 1]}`); });
    if (!document.documentElement.lang) problems.push('no language');
    if (all('main').length !== 1 || !all('footer').length) problems.push('landmarks are missing');
    for (const e of all('nav')) if (!e.ariaLabel) problems.push('a nav without a name');
    for (const e of all('table')) {
      if (!e.caption?.textContent.trim()) problems.push(`${name(e)} without a caption`);
      if (!e.tHead) problems.push(`${name(e)} without a head`);
    }
    for (const e of all('th')) if (!e.scope) problems.push(`${name(e)} without a scope`);
    const ids = all('[id]').map((e) => e.id);
    if (new Set(ids).size !== ids.length) problems.push('an id stands twice');
    for (const e of all('[aria-labelledby]')) if (!document.getElementById(e.getAttribute('aria-labelledby'))?.textContent.trim()) problems.push(`${name(e)} is named by nothing`);
    for (const e of all('a')) if (/^([\w.-]+\/report\.html|report\.html#c\d+)$/.test(e.getAttribute("href"))) continue; else if (!/^#[a-z0-9-]+$/.test(e.getAttribute("href")) || !document.querySelector(e.getAttribute("href"))) problems.push(`a link to ${e.getAttribute('href')}`);
    // Never by colour alone.
    for (const e of all('.tag, .state')) if (!/passed|failed|waived|pending|not run|not planned|GO|HOLD/.test(e.textContent)) problems.push(`${name(e)} says nothing`);
    for (const e of all('.steps .sign')) if (!e.ariaLabel) problems.push('a step without its outcome');
    return few(problems);
  };

  const stops = () => all('a[href], summary, [tabindex="0"]').filter((e) => e.checkVisibility({ contentVisibilityAuto: false }) && !e.closest('details:not([open]) > :not(summary:first-of-type)'));
  // Where the keyboard is: its place among the stops, how it shows, and where it stands.
  const focus = () => {
    const e = document.activeElement;
    const [rect, style] = [e.getBoundingClientRect(), getComputedStyle(e)];
    return { place: stops().indexOf(e), name: name(e), top: rect.top + scrollY, bottom: rect.bottom + scrollY, shows: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
  };

  // The elements with what the renderer alone may say of them.
  const skeleton = () => all('*').map((e) => e.tagName + [...e.attributes].map((a) => (['class', 'href', 'id', 'open', 'tabindex'].includes(a.name) ? `${a.name}=${a.value}` : a.name)).join());

  // On paper: what is not there, though it is written.
  const unprinted = () => {
    const problems = [];
    for (const e of all('.body, .body *, .cause *, main td, main th')) {
      if (!e.textContent.trim() || e.closest('.hidden')) continue;
      if (!e.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true })) problems.push(`${name(e)} is not printed`);
      else if (e.scrollHeight > e.clientHeight + 2 && getComputedStyle(e).overflowY !== 'visible' && e.clientHeight) problems.push(`${name(e)} is cut`);
    }
    return few(problems);
  };

  return { contrast, layout, weeks, spaced, structure, stops, focus, skeleton, unprinted, unfold };
})()
