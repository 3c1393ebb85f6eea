import { expect, test } from './fixtures/elements.js';

const IMAGES = '../docs/images';

for (const [name, theme, direction] of [
  ['inbox-light', 'light', 'ltr'],
  ['inbox-dark', 'dark', 'ltr'],
  ['inbox-rtl', 'light', 'rtl'],
] as const) {
  test(name, async ({ page }) => {
    await page.setViewportSize({ width: 560, height: 700 });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.route('**/picture.svg', (route) => route.fulfill({ path: 'page/public/assets/picture.svg' }));
    await page.evaluate((direction) => {
      document.documentElement.dataset.only = 'bell';
      document.documentElement.dir = direction;
      const { FakeSource, notification, show } = window.stage;
      const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
      const picture = '/picture.svg';
      const english = [
        notification(4, { heading: 'Mia Torres mentioned you', content: '“Could you look over the launch checklist before Thursday?”', created_at: ago(0), buttons: [{ id: 'a', text: 'Reply' }, { id: 'b', text: 'Later' }] }),
        notification(3, { heading: 'Your order is on its way', content: 'It left Porto and should be with you tomorrow before noon.', created_at: ago(14), image_url: picture }),
        notification(2, { heading: 'Payment received', content: '€48.00 from Bakery Lindner', created_at: ago(130), opened: true }),
        notification(1, { heading: 'The build is green', content: 'All 1,204 tests passed.', created_at: ago(1_500), opened: true }),
      ];
      const arabic = [
        notification(4, { heading: 'أشارت إليك ميا توريس', content: 'هل يمكنك مراجعة قائمة الإطلاق قبل يوم الخميس؟', created_at: ago(0), buttons: [{ id: 'a', text: 'رد' }, { id: 'b', text: 'لاحقًا' }] }),
        notification(3, { heading: 'طلبك في الطريق', content: 'غادر بورتو وسيصل غدًا قبل الظهر.', created_at: ago(14), image_url: picture }),
        notification(2, { heading: 'Payment received', content: '€48.00 from Bakery Lindner', created_at: ago(130), opened: true }),
        notification(1, { heading: 'تم استلام الدفعة', content: 'شكرًا لك.', created_at: ago(1_500), opened: true }),
      ];
      const bell = document.querySelector('internal-notifications-bell')!;
      if (direction === 'rtl') {
        document.documentElement.lang = 'ar';
        bell.strings = { locale: 'ar', title: 'الإشعارات', markAll: 'تحديد الكل كمقروء', pending: (count) => `${count} غير مقروء`, end: 'هذا كل شيء' };
      }
      show(new FakeSource(direction === 'rtl' ? arabic : english));
    }, direction);
    await page.locator('internal-notifications-bell [part=button]').first().click();
    await expect(page.getByRole('article')).toHaveCount(4);
    await page.mouse.move(5, 600);
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: `${IMAGES}/${name}.png` });
  });
}
