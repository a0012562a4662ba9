import type { Words } from '..';

export const markdown: Words['markdown'] = {
  copyCode: '코드 복사',
  codeIn: (language) => `코드: ${language}`,
  code: '코드',
  table: '표',
  image: '불러오지 않은 이미지',
  footnotes: '각주',
  unseen: '보이지 않는 문자를 번호로 나타냈습니다',
  done: '완료',
  open: '미완료',
};
