// Names of the choices of a recipe, in files, options and summaries.
#pragma once

#include "halftone/base/named.h"
#include "halftone/quant/recipe.h"

namespace halftone::quant {

inline constexpr Named<WeightCode> kCodeNames[] = {
    {WeightCode::affine, "affine"}, {WeightCode::binary, "binary"}, {WeightCode::ternary, "ternary"},
    {WeightCode::k_means, "kmeans"}, {WeightCode::log2, "log2"}};
inline constexpr Named<WeightRange> kRangeNames[] = {{WeightRange::min_max, "minmax"},
                                                     {WeightRange::mean_squared_error, "mse"},
                                                     {WeightRange::mean_absolute_error, "l1"},
                                                     {WeightRange::fixed, "fixed"}};
inline constexpr Named<WeightRounding> kRoundingNames[] = {{WeightRounding::nearest, "nearest"},
                                                           {WeightRounding::adaround, "adaround"},
                                                           {WeightRounding::error_feedback, "error-feedback"}};
inline constexpr Named<BiasCorrection> kBiasCorrectionNames[] = {{BiasCorrection::none, "none"},
                                                                 {BiasCorrection::measured, "measured"},
                                                                 {BiasCorrection::analytic, "analytic"}};
inline constexpr Named<numeric::Scheme> kSchemeNames[] = {{numeric::Scheme::symmetric, "symmetric"},
                                                          {numeric::Scheme::asymmetric, "asymmetric"}};
inline constexpr Named<numeric::Granularity> kGranularityNames[] = {
    {numeric::Granularity::tensor, "tensor"},
    {numeric::Granularity::channel, "channel"},
    {numeric::Granularity::group, "group"}};

}  // namespace halftone::quant
