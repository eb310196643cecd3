// stub
export const renderDocs = (_: unknown): string => "";
