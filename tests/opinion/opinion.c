/* All the opinions there are, one after the other. */
#include "opinion/scene.h"

const char *opinion_of_step(const struct scene *scene)
{
    typedef const char *opinion_function(const struct scene *scene);
    static opinion_function *const opinions[] = {opinion_of_verdict, opinion_of_deadlines, opinion_of_money,
                                                 opinion_of_order, opinion_of_words};
    const char *broken = NULL;
    for (size_t i = 0; i < sizeof opinions / sizeof opinions[0] && broken == NULL; i++)
        broken = opinions[i](scene);
    return broken;
}
