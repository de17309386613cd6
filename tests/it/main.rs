mod summary_render;
