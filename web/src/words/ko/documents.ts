import type { Words } from '..';

export const documents: Words['documents'] = {
  title: '문서',
  lead: '스튜디오가 답변의 근거로 삼는 자료입니다. 컬렉션에 담긴 문서는 함께 검색됩니다.',
};
