import { h } from './dom.js';

/**
 * The articles are grouped into chunks, and the browser skips whole chunks that are out of sight.
 * Thousands of articles thus cost as much as a few chunks. An article stays in its chunk unless it
 * moves.
 */
const CHUNK = 50;

export function articleAfter(article: Element): HTMLElement | null {
  const next = article.nextElementSibling ?? article.parentElement?.nextElementSibling?.firstElementChild ?? null;
  return next as HTMLElement | null;
}

/** Inserts an article before another one, or at the end, into a chunk that has room. */
export function insert(article: Element, next: Element | null, list: Element): void {
  take(article);
  const chunk = next?.parentElement ?? null;
  if (next && chunk && (next.previousElementSibling || chunk.childElementCount < CHUNK)) {
    next.before(article);
    return;
  }
  const before = chunk ? chunk.previousElementSibling : list.lastElementChild;
  if (before && before.childElementCount < CHUNK) {
    before.append(article);
  } else {
    list.insertBefore(h('div', { class: 'chunk' }, article), chunk);
  }
}

/** Removes an article, and its chunk if that is then empty. */
export function take(article: Element): void {
  const chunk = article.parentElement;
  article.remove();
  if (chunk && !chunk.firstChild) {
    chunk.remove();
  }
}
