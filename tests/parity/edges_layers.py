"""Edge calls of losses, layers, products and linear algebra, with PyTorch as the judge."""
# ruff: noqa: E501 - a table, one call per line

CALLS = """
F.mse_loss(e, e, reduction="mean")
F.mse_loss(e2, e2, reduction="mean")
F.mse_loss(e, e, reduction="sum")
F.mse_loss(e2, e2, reduction="sum")
F.mse_loss(e, e, reduction="none")
F.mse_loss(e2, e2, reduction="none")
F.mse_loss(T.ones(3, 1), T.zeros(3))
F.mse_loss(T.ones(3) / 2, T.tensor(0.0))
F.mse_loss(T.tensor(0.5), T.zeros(3))
F.mse_loss(T.ones(2, 3) / 2, T.zeros(3))
F.mse_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.mse_loss(T.ones(2, 3) / 2, T.zeros(2))
F.mse_loss(T.tensor(0.5), T.tensor(1.0))
F.mse_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.l1_loss(e, e, reduction="mean")
F.l1_loss(e2, e2, reduction="mean")
F.l1_loss(e, e, reduction="sum")
F.l1_loss(e2, e2, reduction="sum")
F.l1_loss(e, e, reduction="none")
F.l1_loss(e2, e2, reduction="none")
F.l1_loss(T.ones(3, 1), T.zeros(3))
F.l1_loss(T.ones(3) / 2, T.tensor(0.0))
F.l1_loss(T.tensor(0.5), T.zeros(3))
F.l1_loss(T.ones(2, 3) / 2, T.zeros(3))
F.l1_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.l1_loss(T.ones(2, 3) / 2, T.zeros(2))
F.l1_loss(T.tensor(0.5), T.tensor(1.0))
F.l1_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.smooth_l1_loss(e, e, reduction="mean")
F.smooth_l1_loss(e2, e2, reduction="mean")
F.smooth_l1_loss(e, e, reduction="sum")
F.smooth_l1_loss(e2, e2, reduction="sum")
F.smooth_l1_loss(e, e, reduction="none")
F.smooth_l1_loss(e2, e2, reduction="none")
F.smooth_l1_loss(T.ones(3, 1), T.zeros(3))
F.smooth_l1_loss(T.ones(3) / 2, T.tensor(0.0))
F.smooth_l1_loss(T.tensor(0.5), T.zeros(3))
F.smooth_l1_loss(T.ones(2, 3) / 2, T.zeros(3))
F.smooth_l1_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.smooth_l1_loss(T.ones(2, 3) / 2, T.zeros(2))
F.smooth_l1_loss(T.tensor(0.5), T.tensor(1.0))
F.smooth_l1_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.huber_loss(e, e, reduction="mean")
F.huber_loss(e2, e2, reduction="mean")
F.huber_loss(e, e, reduction="sum")
F.huber_loss(e2, e2, reduction="sum")
F.huber_loss(e, e, reduction="none")
F.huber_loss(e2, e2, reduction="none")
F.huber_loss(T.ones(3, 1), T.zeros(3))
F.huber_loss(T.ones(3) / 2, T.tensor(0.0))
F.huber_loss(T.tensor(0.5), T.zeros(3))
F.huber_loss(T.ones(2, 3) / 2, T.zeros(3))
F.huber_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.huber_loss(T.ones(2, 3) / 2, T.zeros(2))
F.huber_loss(T.tensor(0.5), T.tensor(1.0))
F.huber_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.binary_cross_entropy(e, e, reduction="mean")
F.binary_cross_entropy(e2, e2, reduction="mean")
F.binary_cross_entropy(e, e, reduction="sum")
F.binary_cross_entropy(e2, e2, reduction="sum")
F.binary_cross_entropy(e, e, reduction="none")
F.binary_cross_entropy(e2, e2, reduction="none")
F.binary_cross_entropy(T.ones(3, 1), T.zeros(3))
F.binary_cross_entropy(T.ones(3) / 2, T.tensor(0.0))
F.binary_cross_entropy(T.tensor(0.5), T.zeros(3))
F.binary_cross_entropy(T.ones(2, 3) / 2, T.zeros(3))
F.binary_cross_entropy(T.ones(2, 3) / 2, T.zeros(2, 1))
F.binary_cross_entropy(T.ones(2, 3) / 2, T.zeros(2))
F.binary_cross_entropy(T.tensor(0.5), T.tensor(1.0))
F.binary_cross_entropy(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.binary_cross_entropy_with_logits(e, e, reduction="mean")
F.binary_cross_entropy_with_logits(e2, e2, reduction="mean")
F.binary_cross_entropy_with_logits(e, e, reduction="sum")
F.binary_cross_entropy_with_logits(e2, e2, reduction="sum")
F.binary_cross_entropy_with_logits(e, e, reduction="none")
F.binary_cross_entropy_with_logits(e2, e2, reduction="none")
F.binary_cross_entropy_with_logits(T.ones(3, 1), T.zeros(3))
F.binary_cross_entropy_with_logits(T.ones(3) / 2, T.tensor(0.0))
F.binary_cross_entropy_with_logits(T.tensor(0.5), T.zeros(3))
F.binary_cross_entropy_with_logits(T.ones(2, 3) / 2, T.zeros(3))
F.binary_cross_entropy_with_logits(T.ones(2, 3) / 2, T.zeros(2, 1))
F.binary_cross_entropy_with_logits(T.ones(2, 3) / 2, T.zeros(2))
F.binary_cross_entropy_with_logits(T.tensor(0.5), T.tensor(1.0))
F.binary_cross_entropy_with_logits(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.kl_div(e, e, reduction="mean")
F.kl_div(e2, e2, reduction="mean")
F.kl_div(e, e, reduction="sum")
F.kl_div(e2, e2, reduction="sum")
F.kl_div(e, e, reduction="none")
F.kl_div(e2, e2, reduction="none")
F.kl_div(T.ones(3, 1), T.zeros(3))
F.kl_div(T.ones(3) / 2, T.tensor(0.0))
F.kl_div(T.tensor(0.5), T.zeros(3))
F.kl_div(T.ones(2, 3) / 2, T.zeros(3))
F.kl_div(T.ones(2, 3) / 2, T.zeros(2, 1))
F.kl_div(T.ones(2, 3) / 2, T.zeros(2))
F.kl_div(T.tensor(0.5), T.tensor(1.0))
F.kl_div(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.poisson_nll_loss(e, e, reduction="mean")
F.poisson_nll_loss(e2, e2, reduction="mean")
F.poisson_nll_loss(e, e, reduction="sum")
F.poisson_nll_loss(e2, e2, reduction="sum")
F.poisson_nll_loss(e, e, reduction="none")
F.poisson_nll_loss(e2, e2, reduction="none")
F.poisson_nll_loss(T.ones(3, 1), T.zeros(3))
F.poisson_nll_loss(T.ones(3) / 2, T.tensor(0.0))
F.poisson_nll_loss(T.tensor(0.5), T.zeros(3))
F.poisson_nll_loss(T.ones(2, 3) / 2, T.zeros(3))
F.poisson_nll_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.poisson_nll_loss(T.ones(2, 3) / 2, T.zeros(2))
F.poisson_nll_loss(T.tensor(0.5), T.tensor(1.0))
F.poisson_nll_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.soft_margin_loss(e, e, reduction="mean")
F.soft_margin_loss(e2, e2, reduction="mean")
F.soft_margin_loss(e, e, reduction="sum")
F.soft_margin_loss(e2, e2, reduction="sum")
F.soft_margin_loss(e, e, reduction="none")
F.soft_margin_loss(e2, e2, reduction="none")
F.soft_margin_loss(T.ones(3, 1), T.zeros(3))
F.soft_margin_loss(T.ones(3) / 2, T.tensor(0.0))
F.soft_margin_loss(T.tensor(0.5), T.zeros(3))
F.soft_margin_loss(T.ones(2, 3) / 2, T.zeros(3))
F.soft_margin_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.soft_margin_loss(T.ones(2, 3) / 2, T.zeros(2))
F.soft_margin_loss(T.tensor(0.5), T.tensor(1.0))
F.soft_margin_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.hinge_embedding_loss(e, e, reduction="mean")
F.hinge_embedding_loss(e2, e2, reduction="mean")
F.hinge_embedding_loss(e, e, reduction="sum")
F.hinge_embedding_loss(e2, e2, reduction="sum")
F.hinge_embedding_loss(e, e, reduction="none")
F.hinge_embedding_loss(e2, e2, reduction="none")
F.hinge_embedding_loss(T.ones(3, 1), T.zeros(3))
F.hinge_embedding_loss(T.ones(3) / 2, T.tensor(0.0))
F.hinge_embedding_loss(T.tensor(0.5), T.zeros(3))
F.hinge_embedding_loss(T.ones(2, 3) / 2, T.zeros(3))
F.hinge_embedding_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.hinge_embedding_loss(T.ones(2, 3) / 2, T.zeros(2))
F.hinge_embedding_loss(T.tensor(0.5), T.tensor(1.0))
F.hinge_embedding_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.multilabel_soft_margin_loss(e, e, reduction="mean")
F.multilabel_soft_margin_loss(e2, e2, reduction="mean")
F.multilabel_soft_margin_loss(e, e, reduction="sum")
F.multilabel_soft_margin_loss(e2, e2, reduction="sum")
F.multilabel_soft_margin_loss(e, e, reduction="none")
F.multilabel_soft_margin_loss(e2, e2, reduction="none")
F.multilabel_soft_margin_loss(T.ones(3, 1), T.zeros(3))
F.multilabel_soft_margin_loss(T.ones(3) / 2, T.tensor(0.0))
F.multilabel_soft_margin_loss(T.tensor(0.5), T.zeros(3))
F.multilabel_soft_margin_loss(T.ones(2, 3) / 2, T.zeros(3))
F.multilabel_soft_margin_loss(T.ones(2, 3) / 2, T.zeros(2, 1))
F.multilabel_soft_margin_loss(T.ones(2, 3) / 2, T.zeros(2))
F.multilabel_soft_margin_loss(T.tensor(0.5), T.tensor(1.0))
F.multilabel_soft_margin_loss(T.ones(2, 3) / 2, T.zeros(1, 3), reduction="none")
F.kl_div(e2,e2,reduction="batchmean")
F.kl_div(T.tensor(0.1),T.tensor(0.3),reduction="batchmean")
F.kl_div(T.tensor(0.1),T.tensor(0.3))
F.kl_div(T.ones(2,3),T.ones(3),reduction="batchmean")
F.gaussian_nll_loss(e,e,e)
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(4,1))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(4))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(3))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(1,3))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,1),T.ones(4,3))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(3),T.ones(4,3))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(()))
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),1.0)
F.gaussian_nll_loss(T.ones(4,3),T.zeros(4,3),T.ones(4,3)*-1)
F.gaussian_nll_loss(T.tensor(1.),T.tensor(2.),T.tensor(1.))
F.cross_entropy(T.zeros(2,3),T.tensor([-100,-100]))
F.cross_entropy(T.zeros(2,3),T.tensor([-100,-100]),reduction="sum")
F.cross_entropy(T.zeros(2,3),T.tensor([-100,-100]),reduction="none")
F.cross_entropy(T.zeros(2,3),T.tensor([-100,-100]),label_smoothing=0.1)
F.cross_entropy(T.zeros(2,3),T.tensor([-100,1]),label_smoothing=0.1)
F.cross_entropy(T.zeros(0,3),T.zeros(0,dtype=T.int64))
F.cross_entropy(T.zeros(0,3),T.zeros(0,dtype=T.int64),reduction="sum")
F.cross_entropy(T.zeros(0,3),T.zeros(0,dtype=T.int64),label_smoothing=0.1)
F.cross_entropy(T.zeros(0,3),T.zeros(0,3))
F.cross_entropy(T.zeros(0,3,2),T.zeros(0,2,dtype=T.int64))
F.cross_entropy(T.zeros(2,3),T.tensor([0,1]),weight=T.zeros(3))
F.cross_entropy(T.zeros(2,3),T.tensor([0,1]),weight=T.tensor([0.,0.,1.]))
F.cross_entropy(T.zeros(3),T.tensor(-100))
F.cross_entropy(T.zeros(3),T.tensor(1))
F.cross_entropy(T.zeros(1,3,0),T.zeros(1,0,dtype=T.int64))
F.cross_entropy(T.zeros(2,0),T.zeros(2,dtype=T.int64))
F.cross_entropy(T.zeros(2,3),T.zeros(2,3,dtype=T.float64))
F.cross_entropy(T.zeros(2,3,dtype=T.float64),T.zeros(2,3))
F.cross_entropy(T.zeros(2,3),T.tensor([1,0],dtype=T.uint8))
F.nll_loss(T.zeros(1,3),T.tensor([-100]))
F.nll_loss(T.zeros(0,3),T.zeros(0,dtype=T.int64))
F.nll_loss(T.zeros(0,3),T.zeros(0,dtype=T.int64),reduction="sum")
F.nll_loss(T.zeros(0,3),T.zeros(0,dtype=T.int64),reduction="none")
F.nll_loss(T.zeros(3),T.tensor(0))
F.nll_loss(T.zeros(3),T.tensor(-100))
F.nll_loss(T.zeros(1,3,2),T.tensor([[-100,-100]]))
F.nll_loss(T.zeros(2,3),T.tensor([0,1]),weight=T.zeros(3))
F.nll_loss(T.zeros(2,3),T.tensor([0,1]),ignore_index=1)
F.margin_ranking_loss(e,e,e)
F.margin_ranking_loss(T.ones(3),T.ones(3),T.tensor(1.))
F.margin_ranking_loss(T.ones(3),T.ones(3),T.ones(1))
F.margin_ranking_loss(T.ones(3,1),T.ones(1,3),T.ones(3,3))
F.cosine_embedding_loss(T.ones(0,3),T.ones(0,3),T.ones(0))
F.cosine_embedding_loss(T.ones(3),T.ones(3),T.tensor(1.))
F.cosine_embedding_loss(T.ones(2,3),T.ones(2,3),T.tensor([1.,0.]),reduction="none")
F.cosine_embedding_loss(T.ones(2,3),T.ones(3),T.tensor([1.,-1.]),reduction="none")
F.triplet_margin_loss(T.ones(0,3),T.ones(0,3),T.ones(0,3))
F.triplet_margin_loss(T.ones(2,3),T.ones(1,3),T.ones(2,3))
F.triplet_margin_loss(T.ones(3),T.ones(3),T.ones(3))
F.multi_margin_loss(T.ones(3),T.tensor(1))
F.multilabel_margin_loss(T.ones(2,0),T.ones(2,0,dtype=T.int64))
F.multilabel_soft_margin_loss(T.ones(2,3),T.ones(3))
F.multilabel_soft_margin_loss(T.ones(3),T.ones(3))
F.multilabel_soft_margin_loss(T.tensor(1.),T.tensor(1.))
F.hinge_embedding_loss(T.tensor([.3,.4]),T.tensor([1.,0.]),reduction="none")
F.hinge_embedding_loss(T.tensor([.3,.4,.2]),T.tensor([1.,2.,-1.]),reduction="none")
F.binary_cross_entropy(T.tensor([1e-12]),T.ones(1),weight=T.tensor([2.]))
F.binary_cross_entropy(T.tensor([.5,.5]),T.ones(2),weight=T.tensor(2.))
F.binary_cross_entropy(T.ones(2,3)*.5,T.ones(2,3),weight=T.ones(3))
F.binary_cross_entropy(T.ones(2,3)*.5,T.ones(2,3),weight=T.ones(2))
F.binary_cross_entropy(T.tensor([0.,1.,0.,1.]),T.tensor([0.,0.,1.,1.]),reduction="none")
F.binary_cross_entropy(T.tensor([0.5]),T.tensor([2.]))
F.binary_cross_entropy(T.tensor([float("nan")]),T.tensor([1.]))
F.binary_cross_entropy(T.tensor([1.5]),T.tensor([1.]))
F.binary_cross_entropy_with_logits(T.ones(2,3),T.ones(2,3),pos_weight=T.ones(3)*2)
F.binary_cross_entropy_with_logits(e,e,pos_weight=T.tensor(2.))
F.binary_cross_entropy_with_logits(T.tensor([-100.,100.]),T.tensor([1.,0.]),pos_weight=T.tensor(2.),reduction="none")
F.mse_loss(T.ones(2,3),T.zeros(2,3),weight=T.ones(2,3))
F.l1_loss(T.ones(2,3),T.zeros(2,3),weight=T.ones(2,3)*2)
F.smooth_l1_loss(T.ones(2),T.zeros(2),beta=0.)
F.huber_loss(T.ones(2),T.zeros(2),weight=T.ones(2))
F.cosine_similarity(T.ones(2, 3), T.ones(3), dim=1)
F.cosine_similarity(T.ones(2,3),T.ones(2,3),dim=-1)
F.cosine_similarity(T.ones(3),T.ones(3),dim=0)
F.cosine_similarity(T.ones(3,1),T.ones(1,3),dim=0)
F.cosine_similarity(T.zeros(2,3),T.ones(2,3))
F.cosine_similarity(T.ones(2,3)*1e20,T.ones(2,3)*1e20)
F.cosine_similarity(T.ones(2,3)*1e-20,T.ones(2,3)*1e-20)
F.cosine_similarity(T.ones(2,3,dtype=T.float64),T.ones(2,3))
F.cosine_similarity(T.ones(0,3),T.ones(0,3))
F.cosine_similarity(T.ones(2,0),T.ones(2,0))
F.pairwise_distance(T.ones(0,3),T.ones(0,3))
F.pairwise_distance(T.ones(2,0),T.ones(2,0))
F.pairwise_distance(T.ones(2,3),T.ones(3))
F.pairwise_distance(T.ones(2,3),T.zeros(2,3),p=float("inf"))
F.pairwise_distance(T.ones(2,3),T.zeros(2,3),p=0)
F.pairwise_distance(T.ones(2,3)*1e30,T.zeros(2,3))
F.normalize(T.ones(0,3))
F.normalize(T.ones(2,0))
F.normalize(T.ones(2,3)*1e30)
F.normalize(T.ones(2,3),p=1)
F.normalize(T.ones(2,3),p=float("inf"))
F.normalize(T.zeros(2,3))
F.normalize(T.ones(2,3),dim=(0,1))
F.normalize(T.ones(3),dim=0)
F.normalize(T.ones(3))
F.linear(T.ones(3),T.ones(3))
F.linear(T.ones(2,3),T.ones(3))
F.linear(T.ones(2,3),T.ones(3),T.tensor(1.))
F.linear(T.ones(4,2,3),T.ones(3))
F.linear(T.ones(0,3),T.ones(2,3)).shape
F.linear(T.ones(2,0),T.ones(3,0)).shape
F.linear(T.ones(2,0),T.ones(3,0),T.ones(3))
F.linear(T.ones(2,3),T.ones(4,3),T.ones(()))
F.linear(T.ones(2,3),T.ones(4,3),T.ones(1))
F.linear(T.ones(3),T.ones(4,3),T.ones(4)).shape
F.linear(T.ones(2,3,dtype=T.float64),T.ones(4,3))
F.linear(T.ones(2,3),T.ones(4,3),T.ones(4,dtype=T.float64))
F.linear(T.ones(2,3,dtype=T.int64),T.ones(4,3))
F.linear(T.ones(2,3,dtype=T.int64),T.ones(4,3,dtype=T.int64))
F.bilinear(T.ones(2,3,dtype=T.float64),T.ones(2,3),T.ones(4,3,3))
T.ones(2,3)@T.ones(3,2,dtype=T.float64)
T.ones(2,3)@T.ones(3,2,dtype=T.int64)
T.ones(2,3)@T.ones(3,dtype=T.float64)
T.ones(3)@T.ones(3,dtype=T.float64)
T.mm(T.ones(2,3),T.ones(3,2,dtype=T.float64))
T.bmm(T.ones(1,2,3),T.ones(1,3,2,dtype=T.float64))
T.mv(T.ones(2,3),T.ones(3,dtype=T.float64))
T.dot(T.ones(3),T.ones(3,dtype=T.float64))
T.outer(T.ones(3),T.ones(3,dtype=T.float64)).dtype
T.ger(T.ones(3),T.ones(3,dtype=T.float64)).dtype
T.inner(T.ones(3),T.ones(3,dtype=T.float64))
T.tensordot(T.ones(2,3),T.ones(3,2,dtype=T.float64),1)
T.einsum("ij,jk->ik",T.ones(2,3),T.ones(3,2,dtype=T.float64))
T.addmm(T.ones(2,2),T.ones(2,3),T.ones(3,2,dtype=T.float64))
T.addmv(T.ones(2),T.ones(2,3),T.ones(3,dtype=T.float64))
T.addbmm(T.ones(2,2),T.ones(1,2,3),T.ones(1,3,2,dtype=T.float64))
T.baddbmm(T.ones(1,2,2),T.ones(1,2,3),T.ones(1,3,2,dtype=T.float64))
T.addr(T.ones(2,3),T.ones(2),T.ones(3,dtype=T.float64)).dtype
T.kron(T.ones(2),T.ones(3,dtype=T.float64)).dtype
T.chain_matmul(T.ones(2,3),T.ones(3,2,dtype=T.float64))
T.linalg.multi_dot([T.ones(2,3),T.ones(3,2,dtype=T.float64)])
T.linalg.solve(T.eye(2),T.ones(2,dtype=T.float64))
T.linalg.lstsq(T.eye(2),T.ones(2,1,dtype=T.float64))
T.vdot(T.ones(3),T.ones(3,dtype=T.float64))
F.conv1d(T.ones(1,1,4,dtype=T.float64),T.ones(1,1,3))
F.conv2d(T.ones(1,1,4,4,dtype=T.float64),T.ones(1,1,3,3))
F.conv2d(T.ones(1,1,4,4),T.ones(1,1,3,3),T.ones(1,dtype=T.float64))
F.conv_transpose2d(T.ones(1,1,4,4,dtype=T.float64),T.ones(1,1,3,3))
F.conv2d(T.ones(1,1,4,4,dtype=T.int64),T.ones(1,1,3,3))
F.layer_norm(T.ones(2,3,dtype=T.float64),(3,),T.ones(3))
F.batch_norm(T.ones(2,3,dtype=T.float64),T.zeros(3),T.ones(3))
F.group_norm(T.ones(2,3,dtype=T.float64),1,T.ones(3))
F.rms_norm(T.ones(2,3,dtype=T.float64),(3,),T.ones(3))
F.prelu(T.tensor(1.),T.ones(1)).shape
F.prelu(T.tensor(-1.),T.tensor(.5))
F.prelu(T.ones(0,3),T.ones(3)).shape
F.prelu(T.ones(3),T.ones(3))
F.scaled_dot_product_attention(T.ones(1,2,3,dtype=T.float64),T.ones(1,2,3),T.ones(1,2,3))
F.embedding(T.zeros(0,dtype=T.int64),T.ones(3,2)).shape
F.embedding(T.tensor(0),T.ones(3,2)).shape
F.one_hot(T.zeros(0,dtype=T.int64),3).shape
F.one_hot(T.zeros(0,dtype=T.int64)).shape
F.softmax(T.ones(0,3),1).shape
F.batch_norm(T.rand(0,5,2,2),T.zeros(5),T.ones(5),training=True).shape
F.batch_norm(T.rand(1,5),T.zeros(5),T.ones(5),training=True).shape
F.batch_norm(T.rand(0,5),None,None,training=True).shape
F.batch_norm(T.rand(0,5),T.zeros(5),T.ones(5)).shape
T.nn.BatchNorm1d(5)(T.rand(0,5)).shape
T.nn.BatchNorm2d(5)(T.rand(0,5,2,2)).shape
F.instance_norm(T.rand(0,5,3)).shape
F.instance_norm(T.rand(2,5,1)).shape
F.layer_norm(T.rand(0,5),(5,)).shape
F.layer_norm(T.rand(3,0),(0,)).shape
F.group_norm(T.rand(0,4,2),2).shape
F.rms_norm(T.rand(0,5),(5,)).shape
F.local_response_norm(T.empty(0,1,2),1).shape
F.max_pool2d(T.ones(1,1,3,1),2,ceil_mode=True).shape
F.avg_pool2d(T.ones(1,1,1,3),2,ceil_mode=True)
F.avg_pool2d(T.ones(1,1,1,3),2,ceil_mode=True,count_include_pad=False)
F.avg_pool1d(T.ones(1,1,1),2,ceil_mode=True)
F.max_pool1d(T.ones(1,1,1),3,stride=2,ceil_mode=True)
F.max_pool1d(T.ones(1,1,1),4,stride=2,ceil_mode=True)
F.lp_pool1d(T.ones(1,1,1),2,3,2,ceil_mode=True)
F.avg_pool2d(T.ones(1,1,1,1),2,stride=1,ceil_mode=True)
F.max_pool3d(T.ones(1,1,1,3,1),2,ceil_mode=True)
F.max_pool2d(T.ones(1,1,1,1),2)
F.avg_pool2d(T.empty(0,1,4,4),2).shape
F.avg_pool1d(T.empty(0,1,4),2).shape
F.avg_pool3d(T.empty(0,1,4,4,4),2).shape
F.adaptive_max_pool2d(T.empty(0,1,4,4),2).shape
F.adaptive_avg_pool2d(T.empty(0,1,4,4),2).shape
F.adaptive_avg_pool1d(T.empty(0,1,4),2).shape
F.adaptive_max_pool1d(T.empty(0,1,4),2).shape
F.adaptive_max_pool3d(T.empty(0,1,4,4,4),2).shape
F.max_pool1d(T.empty(0,1,4),2).shape
F.max_pool2d(T.empty(0,1,4,4),2).shape
F.max_pool2d(T.empty(0,1,4,4),2,return_indices=True)[1].shape
F.max_pool3d(T.empty(0,1,4,4,4),2).shape
F.lp_pool2d(T.empty(0,1,4,4),2,2).shape
F.max_unpool2d(T.empty(0,1,2,2),T.empty(0,1,2,2,dtype=T.int64),2).shape
F.max_unpool1d(T.empty(0,1,2),T.empty(0,1,2,dtype=T.int64),2).shape
F.conv1d(T.empty(0,2,4),T.ones(3,2,2)).shape
F.conv2d(T.empty(0,2,4,4),T.ones(3,2,2,2)).shape
F.conv3d(T.empty(0,2,4,4,4),T.ones(3,2,2,2,2)).shape
F.conv_transpose2d(T.empty(0,2,4,4),T.ones(2,3,2,2)).shape
F.conv_transpose1d(T.empty(0,2,4),T.ones(2,3,2)).shape
F.interpolate(T.empty(0,1,4,4),size=2).shape
F.interpolate(T.empty(0,1,4,4),scale_factor=2,mode="bilinear").shape
F.pad(T.empty(0,3),(1,1)).shape
F.pad(T.empty(0,2,3),(1,1),mode="reflect").shape
F.pad(T.empty(0,2,3),(1,1),mode="replicate").shape
F.pad(T.empty(0,2,3),(1,1),mode="circular").shape
F.unfold(T.empty(0,1,4,4),2).shape
F.fold(T.empty(0,4,9),(4,4),2).shape
F.pixel_shuffle(T.empty(0,4,2,2),2).shape
F.channel_shuffle(T.empty(0,4,2,2),2).shape
F.grid_sample(T.empty(0,1,4,4),T.empty(0,2,2,2),align_corners=False).shape
F.affine_grid(T.empty(0,2,3),(0,1,2,2),align_corners=False).shape
F.scaled_dot_product_attention(T.ones(0,2,3),T.ones(0,2,3),T.ones(0,2,3)).shape
F.scaled_dot_product_attention(T.ones(1,2,3),T.ones(1,0,3),T.ones(1,0,3))
F.dropout(T.empty(0)).shape
F.dropout2d(T.empty(0,2,3,3)).shape
F.gumbel_softmax(T.empty(0,3)).shape
F.glu(T.empty(0,4)).shape
F.bilinear(T.ones(0,3),T.ones(0,3),T.ones(4,3,3)).shape
F.cdist
T.cdist(T.ones(0,3),T.ones(2,3)).shape
T.cdist(T.ones(2,0),T.ones(2,0))
T.nn.LSTM(2,3)(T.ones(4,0,2))[0].shape
T.nn.LSTM(2,3)(T.ones(0,1,2))[0].shape
T.nn.GRU(2,3)(T.ones(4,0,2))[0].shape
T.nn.RNN(2,3)(T.ones(4,0,2))[0].shape
T.nn.MultiheadAttention(4,2)(T.ones(3,0,4),T.ones(3,0,4),T.ones(3,0,4))[0].shape
T.nn.TransformerEncoderLayer(4,2,8)(T.ones(3,0,4)).shape
T.nn.EmbeddingBag(3,2)(T.zeros(0,2,dtype=T.int64)).shape
T.nn.Flatten()(T.ones(0,2,3)).shape
T.nn.Bilinear(2,3,4)(T.ones(0,2),T.ones(0,3)).shape
T.linalg.inv(T.ones(0,2,2)).shape
T.linalg.inv(T.ones(0,0)).shape
T.linalg.det(T.ones(0,0))
T.linalg.det(T.ones(0,2,2)).shape
T.linalg.slogdet(T.ones(0,0))
T.linalg.svd(T.ones(0,3))[0].shape
T.linalg.svd(T.ones(0,3,3))[0].shape
T.linalg.svdvals(T.ones(0,3)).shape
T.linalg.eigh(T.ones(0,0))[0].shape
T.linalg.qr(T.ones(0,3))[0].shape
T.linalg.qr(T.ones(3,0))[0].shape
T.linalg.cholesky(T.ones(0,0)).shape
T.linalg.pinv(T.ones(0,3)).shape
T.linalg.lstsq(T.ones(0,3,2),T.ones(0,3,1))[0].shape
T.linalg.matrix_rank(T.ones(0,3))
T.linalg.matrix_rank(T.ones(0,3,3))
T.linalg.matrix_norm(T.ones(0,3))
T.linalg.solve(T.ones(0,0),T.ones(0)).shape
T.linalg.solve(T.ones(0,2,2),T.ones(0,2)).shape
T.linalg.matrix_exp(T.ones(0,0)).shape
T.linalg.matrix_power(T.ones(0,2,2),3).shape
T.linalg.matrix_power(T.ones(2,2),0)
T.linalg.cond(T.ones(0,3,3)).shape
T.linalg.matrix_rank(T.eye(2).expand(2,2,2),rtol=T.tensor([0.1,2.0]))
T.linalg.matrix_rank(T.eye(2).expand(2,2,2),atol=T.tensor([0.1,2.0]))
T.linalg.matrix_rank(T.eye(2).expand(2,2,2),tol=T.tensor([0.1,2.0]))
T.linalg.pinv(T.eye(2).expand(2,2,2),rtol=T.tensor([0.1,2.0]))
T.linalg.pinv(T.eye(2).expand(2,2,2),atol=T.tensor([0.1,2.0]))
T.linalg.pinv(T.eye(2).expand(2,2,2),rcond=T.tensor([0.1,2.0]))
T.trace(T.ones(0,0))
T.ones(0,0).diag()
T.ones(0).diag()
T.ones(0,3).tril().shape
T.vander(T.ones(0)).shape
T.meshgrid(T.ones(0),T.ones(2),indexing="ij")[0].shape
T.cartesian_prod(T.ones(0),T.ones(2)).shape
T.combinations(T.ones(0)).shape
T.block_diag(T.ones(0),T.ones(2,2)).shape
T.repeat_interleave(T.ones(0),2).shape
T.tile(T.ones(0),(2,)).shape
T.ones(0,3).chunk(2)[0].shape
T.ones(0,3).split(2)
T.ones(0,3).unbind(0)
T.ones(0,3).reshape(-1)
T.ones(0,3).view(-1,3).shape
T.ones(0,3).reshape(0,-1)
T.ones(0,3).flatten(1).shape
T.ones(2,0,3).flatten().shape
T.ones(2,0,3).flatten(0,1).shape
T.ones(0,3).unfold(1,2,1).shape
T.ones(0,3).expand(0,3).shape
T.ones(1,3).expand(0,3).shape
T.ones(0,3)[[]].shape
T.ones(3)[[]].shape
T.ones(3)[T.tensor([],dtype=T.int64)].shape
T.ones(3)[T.zeros(3,dtype=T.bool)].shape
T.masked_select(T.ones(0),T.ones(0,dtype=T.bool)).shape
T.bernoulli(T.ones(0)).shape
T.randperm(0).shape
T.nn.utils.clip_grad_norm_([],1.)
T.nn.utils.rnn.pad_sequence([T.ones(0),T.ones(2)])
T.frac(T.ones(0)).shape
T.tensor([[]]).shape
F.group_norm(T.arange(12.0).reshape(1,4,3), 2, eps=-0.5)
F.layer_norm(T.arange(6.0).reshape(2,3), (3,), eps=-0.5)
F.rms_norm(T.arange(6.0).reshape(2,3), (3,), eps=-0.05)
[tuple(y.shape) for y in T.linalg.lstsq(T.arange(8.0).reshape(4,2) + 3 * T.eye(4,2), T.ones(4,1))]
[tuple(y.shape) for y in T.linalg.lstsq(T.arange(8.0).reshape(4,2) + 3 * T.eye(4,2), T.ones(4,1), driver="gels")]
[tuple(y.shape) for y in T.linalg.lstsq(T.ones(4,2), T.ones(4,1), driver="gelsd")]
[tuple(y.shape) for y in T.linalg.lstsq(T.ones(2,2,4), T.ones(2,2,1), driver="gelss")]
T.linalg.lstsq(T.eye(4,2), T.ones(4,1), driver="gelsd").residuals
T.linalg.lstsq(T.eye(2), T.ones(2,1), driver="best")
T.norm(T.arange(4.0).reshape(2,2), "nuc")
T.norm(T.arange(8.0).reshape(2,2,2), "nuc", dim=(0,1))
T.norm(T.arange(4.0), "nuc")
T.linalg.tensorsolve((T.arange(36.0) ** 2).cos().reshape(2,3,6).double(), T.ones(2,3).double(), dims=(0,2))
T.linalg.tensorsolve(T.ones(2,3,5), T.ones(2,3))
T.linalg.vander(T.tensor(2.0), N=2)
F.multi_margin_loss(T.tensor(0.3), T.tensor(0))
F.multilabel_margin_loss(T.tensor(0.3), T.tensor(0))
T.cat([T.ones(2), None])
T.stack([T.ones(2), None])
T.hstack([T.ones(2), None])
F.max_pool1d(T.ones(2,0,4), 1)
F.max_pool2d(T.ones(0,4,4), 1)
F.max_pool2d(T.ones(0,2,4,4), 1)
F.avg_pool2d(T.ones(2,0,4,4), 1)
F.avg_pool3d(T.ones(2,0,4,4,4), 1)
F.lp_pool2d(T.ones(2,0,4,4), 2.0, 1)
F.adaptive_max_pool2d(T.ones(2,0,4,4), 1)
F.adaptive_avg_pool2d(T.ones(2,0,4,4), 1)
T.scatter_reduce(T.tensor([[True,False,True],[False,False,True]]), 0, T.tensor([[0,1,0],[1,1,0]]), T.tensor([[False,True,False],[True,True,False]]), "amax", include_self=False)
T.scatter_reduce(T.tensor([True,False]), 0, T.tensor([0,0]), T.tensor([True,True]), "amin", include_self=False)
T.scatter_reduce(T.tensor([True,False]), 0, T.tensor([0,0]), T.tensor([False,True]), "sum", include_self=False)
T.addbmm(T.ones(2,2,dtype=T.int8), T.ones(1,2,3,dtype=T.int8), T.ones(1,3,2,dtype=T.int8))
F.avg_pool2d(T.tensor([[[-3,2,-5,4],[1,-7,8,-8]]]), 2, divisor_override=-2)
F.avg_pool2d(T.tensor([[[-3,2,-5,4],[1,-7,8,-8]]]), 2)
F.cross_entropy(T.ones(2,3), T.ones(2,3) / 3, ignore_index=1)
F.cross_entropy(T.ones(2,3), T.ones(2,3) / 3, ignore_index=-1)
"""
