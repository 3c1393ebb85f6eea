import { h } from './dom.js';

/**
 * Articles stand in chunks, which the browser passes over as a whole where they are out of sight: thousands of articles cost what some
 * chunks cost. An article stays in its chunk for as long as it does not move.
 */
const MOST = 50;

export function articleAfter(article: Element): HTMLElement | null {
  const next = article.nextElementSibling ?? article.parentElement?.nextElementSibling?.firstElementChild ?? null;
  return next as HTMLElement | null;
}

/** Puts an article before another one, or last, into a chunk that has room. */
export function insert(article: Element, next: Element | null, list: Element): void {
  take(article);
  const chunk = next?.parentElement ?? null;
  if (next && chunk && (next.previousElementSibling || chunk.childElementCount < MOST)) {
    next.before(article);
    return;
  }
  const before = chunk ? chunk.previousElementSibling : list.lastElementChild;
  if (before && before.childElementCount < MOST) {
    before.append(article);
  } else {
    list.insertBefore(h('div', { class: 'chunk' }, article), chunk);
  }
}

/** Takes an article out, and its chunk with the last one. */
export function take(article: Element): void {
  const chunk = article.parentElement;
  article.remove();
  if (chunk && !chunk.firstChild) {
    chunk.remove();
  }
}
