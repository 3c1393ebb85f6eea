import { expect, test } from './fixtures/elements.js';

test.beforeEach(async ({ page }) => {
  await page.evaluate(() => {
    document.documentElement.dataset.only = 'bell';
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([3, 2, 1].map((added) => notification(added))));
  });
});

const BADGE = 'internal-notifications-bell [part=badge]';

test('the badge shows the exact count, and is hidden at 0', async ({ page }) => {
  await expect(page.locator(BADGE)).toHaveText('3');
  await page.evaluate(() => window.stage.source.set({ pending: 12_345 }));
  await expect(page.locator(BADGE)).toHaveText('12,345');
  await expect(page.getByRole('button', { name: 'Notifications, 12,345 unread' })).toBeVisible();
  await page.evaluate(() => window.stage.source.set({ pending: 0 }));
  await expect(page.locator(BADGE)).toBeHidden();
  await expect(page.getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();
});

test('it opens the list, and Escape returns the focus', async ({ page }) => {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Notifications' });
  await expect(dialog).toBeVisible();
  await expect(page.getByRole('article').first()).toBeFocused();
  const bell = page.locator('internal-notifications-bell [part=button]').first();
  await expect(bell).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(bell).toBeFocused();
  await expect(bell).toHaveAttribute('aria-expanded', 'false');
});

test('a second click, or one elsewhere, closes it', async ({ page }) => {
  const bell = page.getByRole('button', { name: /^Notifications/ });
  const dialog = page.getByRole('dialog');
  await bell.click();
  await expect(dialog).toBeVisible();
  await bell.click();
  await expect(dialog).toBeHidden();
  await bell.click();
  await expect(dialog).toBeVisible();
  await page.mouse.click(5, 600);
  await expect(dialog).toBeHidden();
});

test('it closes when the Tab key moves the focus out', async ({ page }) => {
  await page.getByRole('button', { name: /^Notifications/ }).click();
  await expect(page.getByRole('article').first()).toBeFocused();
  for (let presses = 0; presses < 4 && (await page.getByRole('dialog').isVisible()); presses += 1) {
    await page.keyboard.press('Tab');
  }
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('an arrival is announced once, politely and with the count', async ({ page }) => {
  await page.getByRole('button', { name: /^Notifications/ }).click();
  await page.evaluate(() => window.stage.source.arrive(window.stage.notification(4, { heading: 'Lunch' })));
  const said = page.locator('internal-notifications-bell [role=status]', { hasText: 'New notification: Lunch. 4 unread.' });
  await expect(said).toHaveCount(1);
});

for (const [direction, width, edge] of [['ltr', 900, 'right'], ['rtl', 900, 'left'], ['ltr', 360, 'left']] as const) {
  test(`the list stays within a ${direction} page of ${width} pixels`, async ({ page }) => {
    await page.setViewportSize({ width, height: 700 });
    await page.evaluate((direction) => (document.documentElement.dir = direction), direction);
    await page.getByRole('button', { name: /^Notifications/ }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toBeVisible();
    await dialog.evaluate((element) => Promise.all(element.getAnimations().map(({ finished }) => finished)));
    const box = (await dialog.boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y + box.height).toBeLessThanOrEqual(700);
    expect(edge === 'left' ? box.x : width - box.x - box.width).toBeLessThan(40);
  });
}
