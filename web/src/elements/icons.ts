const SVG = 'http://www.w3.org/2000/svg';

/** Outlines on a grid of 24 by 24. */
const PATHS = {
  bell: 'M18 9a6 6 0 0 0-12 0c0 6-2.5 7.5-2.5 7.5h17S18 15 18 9M10 20a2.2 2.2 0 0 0 4 0',
  tick: 'M5 12.5l4.5 4.5L19 7.5',
  unread: 'M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z',
  cross: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  offline: 'M4 4l16 16M8.5 15.5a5 5 0 0 1 5.6-1M5 12a10 10 0 0 1 5-2.7M14 9.2a10 10 0 0 1 5 2.8M12 19h.01',
  alert: 'M12 4.5L21 19.5H3zM12 10.5v4M12 17h.01',
} as const;

export type Icon = keyof typeof PATHS;

/** Creates an icon that is hidden from screen readers. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
