const GAP = 8;
const MARGIN = 12;
const LEAST = 320;

/**
 * Places the list at the bell, within the viewport, aligned with the bell's end; above the bell if
 * there is more room.
 */
export function place(panel: HTMLElement, bell: DOMRect, isRtl: boolean): void {
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const below = height - bell.bottom - GAP - MARGIN;
  const above = bell.top - GAP - MARGIN;
  const isBelow = below >= LEAST || below >= above;
  const left = isRtl ? bell.left : bell.right - panel.offsetWidth;
  const right = Math.max(MARGIN, width - MARGIN - panel.offsetWidth);
  const { style } = panel;
  style.setProperty('--left', `${Math.min(Math.max(left, MARGIN), right)}px`);
  style.setProperty('--top', isBelow ? `${bell.bottom + GAP}px` : 'auto');
  style.setProperty('--bottom', isBelow ? 'auto' : `${height - bell.top + GAP}px`);
  style.setProperty('--room', `${Math.max(isBelow ? below : above, 200)}px`);
}
